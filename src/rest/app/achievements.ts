import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { type CompletedAchievement, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { userIdIn } from '../../rpc/user-system.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { achievementTeller, allAchievements, allCompleted, completedShapes } from '../shapes/achievement.ts';
import { pointsMapShape } from '../shapes/points.ts';
import { userStreakShape } from '../shapes/streak.ts';
import { checkSubscription, type UpsertedUser, userInput } from '../shapes/user.ts';
import { knownAddress } from './users.ts';

/** Those that can be completed. */
export async function listAchievements({ call }: RestCall): Promise<Answer> {
  const tell = await achievementTeller(call);
  const all = (await allAchievements(call, true)).filter(
    ({ achievement }) => achievement.status === TriggerStatus.ACTIVE,
  );
  return {
    body: all.map(({ achievement, completions, rarity }) => ({ ...tell(achievement), completions, rarity })),
  };
}

/** What a user has completed, the latest first; then, where that is asked for, what can still be completed. */
export async function listUserAchievements({ call, path, query }: RestCall): Promise<Answer> {
  const completed = await allCompleted(call, path.id as string);
  const all = await allAchievements(call, true);
  const tell = await achievementTeller(call);
  const statsOf = (id: string) => {
    const { completions = 0, rarity = 0 } = all.find(({ achievement }) => achievement.id === id) ?? {};
    return { completions, rarity };
  };
  const shapes = await completedShapes(call, completed);
  const done = new Set(completed.map(({ achievement }) => achievement?.id));
  const open = all.filter(({ achievement: { id, status } }) => status === TriggerStatus.ACTIVE && !done.has(id));
  return {
    body: [
      ...shapes.map((shape) => ({ ...shape, ...statsOf(shape.id) })),
      ...(query.includeIncomplete === 'true' ? open : []).map(({ achievement, completions, rarity }) => ({
        ...tell(achievement),
        achievedAt: null,
        completions,
        rarity,
      })),
    ],
  };
}

/** A repeat answers the same, with totals as they are. */
export async function completeAchievement({ call, path, body }: RestCall<{ user: UpsertedUser }>): Promise<Answer> {
  checkSubscription(body.user, await knownAddress(call, body.user), 'user.');
  const done = await rpc(call, AchievementService.method.completeAchievement, {
    achievementKey: path.key as string,
    user: userInput(body.user),
  });
  const [achievement] = await completedShapes(call, [done.completed as CompletedAchievement]);
  return {
    body: {
      completionId: done.completionId,
      achievement,
      points: await pointsMapShape(call, await currentProgram(call), body.user.id, done.points),
    },
  };
}

export async function getUserStreak({ call, path, query }: RestCall): Promise<Answer> {
  await userIdIn(call, path.id as string);
  return { body: await userStreakShape(call, path.id as string, query.historyPeriods as number | undefined) };
}

/** Of users that are known. */
export async function listStreaks({ call, query }: RestCall): Promise<Answer> {
  const streaks: object[] = [];
  for (const userId of (query.userIds as string[] | undefined) ?? []) {
    const known = await userIdIn(call, userId).catch(() => undefined);
    if (known === undefined) continue;
    const { length } = await userStreakShape(call, userId, 0);
    streaks.push({ userId, streakLength: length, extended: null });
  }
  return { body: streaks };
}
