import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { completionsOfUser, type StoredCompletion } from '../../ledger/completions.ts';
import { type Call, route } from '../call.ts';
import { currentProgram } from '../lookup.ts';
import { pageCursor, pageSize, pageToken } from '../page.ts';
import { userIdIn } from '../user-system.ts';
import { completedMessage } from './completed-message.ts';

/** Milliseconds and an achievement's id. */
const CURSOR = /^-?[0-9]{1,15} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const listUserAchievements = route(
  AchievementService.method.listUserAchievements,
  (request) => [request.userId],
  async (call, request) => {
    const userId = await userIdIn(call, request.userId);
    const list = `user achievements ${userId}`;
    const cursor = pageCursor(list, request.pageToken, CURSOR)?.split(' ');
    const after = cursor && { at: Number(cursor[0]), achievementId: cursor[1] as string };
    const size = pageSize(request.pageSize);
    const found = await completionsOfUser(call.api.context.pool, userId, { after, limit: size + 1 });
    const page = found.slice(0, size);
    const last = page.at(-1);
    return {
      completed: await Promise.all(page.map((completion) => messageOf(call, completion))),
      nextPageToken: found.length > size && last ? pageToken(list, `${last.at} ${last.achievementId}`) : '',
    };
  },
);

/** As the program in force has it, or else the one that completed it. */
async function messageOf(call: Call, completion: StoredCompletion) {
  const { programs, pool } = call.api.context;
  const current = await currentProgram(call);
  const index = current.achievementById.has(completion.achievementId)
    ? current
    : await programs.get(pool, call.projectId, completion.programVersion);
  return completedMessage(completion, completion.at, index);
}
