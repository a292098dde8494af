import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { completionCounts } from '../../ledger/completions.ts';
import { route } from '../call.ts';
import { currentProgram } from '../lookup.ts';
import { KEY_CURSOR, pageOf } from '../page.ts';
import { achievementMessage } from './achievement-message.ts';

export const listAchievements = route(AchievementService.method.listAchievements, 'project', async (call, request) => {
  const { achievements } = (await currentProgram(call)).program;
  const { page, nextPageToken } = pageOf('achievements', request, achievements, ({ key }) => key, KEY_CURSOR);
  if (!request.withCounts) {
    return {
      achievements: page.map((achievement) => ({ achievement: achievementMessage(achievement) })),
      nextPageToken,
    };
  }
  const ids = page.map(({ id }) => id);
  const { counts, users } = await completionCounts(call.api.context.pool, call.projectId, ids);
  return {
    achievements: page.map((achievement) => ({
      achievement: achievementMessage(achievement),
      completions: counts.get(achievement.id) ?? 0n,
    })),
    nextPageToken,
    users,
  };
});
