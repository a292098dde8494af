import { GuerdonError } from '../../errors.ts';
import type { Call } from '../../rpc/call.ts';
import { userIdIn } from '../../rpc/user-system.ts';
import type { Answer, RestCall } from '../route.ts';
import { streakNow, streakShape } from '../shapes/streak.ts';

export async function getUserStreak({ call, path, query }: RestCall): Promise<Answer> {
  const userId = path.id as string;
  await userIdIn(call, userId);
  const { historyPeriods } = query as { historyPeriods?: number };
  const { streak, periods } = await streakNow(call, userId, historyPeriods);
  const streakHistory = periods.map(({ start, end, length }) => ({
    periodStart: start,
    periodEnd: end,
    length: Number(length),
  }));
  return { body: { ...streakShape(streak), streakHistory } };
}

/** In the order of the ids. */
export async function listStreaks({ call, query }: RestCall): Promise<Answer> {
  const { userIds = [] } = query as { userIds?: string[] };
  const lengths = await Promise.all(userIds.map((userId) => lengthOf(call, userId)));
  return { body: userIds.map((userId, place) => ({ userId, streakLength: lengths[place], extended: null })) };
}

/** 0 for who is not known. */
async function lengthOf(call: Call, userId: string): Promise<number> {
  try {
    return Number((await streakNow(call, userId, 0)).streak.length);
  } catch (error) {
    if (error instanceof GuerdonError && error.reason === 'USER_UNKNOWN') return 0;
    throw error;
  }
}
