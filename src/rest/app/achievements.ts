import { GuerdonError } from '../../errors.ts';
import { userIdIn } from '../../rpc/user-system.ts';
import type { Answer, RestCall } from '../route.ts';
import { achievementShapes, streakShape } from '../shapes/streak.ts';

export async function listAchievements(): Promise<Answer> {
  return { body: achievementShapes() };
}

export async function listUserAchievements({ call, path }: RestCall): Promise<Answer> {
  await userIdIn(call, path.id as string);
  return { body: achievementShapes() };
}

export async function completeAchievement({ path }: RestCall): Promise<Answer> {
  const message = `key: no achievement ${JSON.stringify(path.key)}`;
  throw new GuerdonError('NOT_FOUND', 'ACHIEVEMENT_UNKNOWN', message);
}

export async function getUserStreak({ call, path }: RestCall): Promise<Answer> {
  await userIdIn(call, path.id as string);
  return { body: streakShape() };
}

export async function listStreaks({ query }: RestCall): Promise<Answer> {
  const { userIds = [] } = query as { userIds?: string[] };
  return { body: userIds.map((userId) => ({ userId, streakLength: streakShape().length, extended: null })) };
}
