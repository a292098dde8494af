import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CompleteCommand } from '../../commands/command.ts';
import type { Outcome } from '../../commands/outcome.ts';
import { invalid, refusalError } from '../../errors.ts';
import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import type { UserInput } from '../../gen/guerdon/v1/types_pb.ts';
import { route } from '../call.ts';
import { pointsMessages } from '../convert.ts';
import { currentProgram } from '../lookup.ts';
import { appliedOr } from '../send-event.ts';
import { profileOf, userViolations } from '../user-input.ts';
import { undeclaredIn } from '../users/user-call.ts';
import { achievementMessage } from './achievement-message.ts';

export const completeAchievement = route(
  AchievementService.method.completeAchievement,
  (request) => [request.user?.id],
  async (call, request) => {
    const { context, ingest } = call.api;
    const user = request.user as UserInput;
    const violations = [...userViolations(user), ...(await undeclaredIn(call, user))];
    if (violations.length > 0) throw invalid(violations);
    const index = await currentProgram(call);
    const achievement = index.program.achievements.find(({ key }) => key === request.achievementKey);
    if (achievement === undefined) throw refusalError('ACHIEVEMENT_UNKNOWN', {});
    const command: CompleteCommand = {
      kind: 'complete',
      id: context.uuid(),
      projectId: call.projectId,
      user: user.id,
      profile: profileOf(user),
      achievementId: achievement.id,
      receivedAt: call.receivedAt,
    };
    const [outcome] = ingest.submit([command], call.deadline) as [Promise<Outcome>];
    const { completionId, at, decision, programVersion, now, status } = appliedOr(await outcome, 'completion');
    const then = await context.programs.get(context.pool, call.projectId, programVersion);
    const present = now === undefined ? undefined : { balances: now, index: await currentProgram(call) };
    return {
      completionId,
      completed: {
        achievement: achievementMessage(achievement),
        completedAt: timestampFromMs(at),
      },
      points: pointsMessages(decision, { id: '', at }, then, present),
      idempotentReplayed: status === 'replayed',
    };
  },
);
