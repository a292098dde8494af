import { GuerdonError, invalid } from '../../errors.ts';
import { userIdOf } from '../../ledger/balance.ts';
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

/** As many as the contract allows. */
const USERS_MAX = 100;

/** In the order of the ids. */
export async function listStreaks({ call, query }: RestCall): Promise<Answer> {
  const ids = await idsOf(call, query as { userIds?: string[] });
  if (ids.length > USERS_MAX) {
    throw invalid([{ field: 'userIds', description: `must be at most ${USERS_MAX} ids` }]);
  }
  const streaks = await Promise.all(ids.map((userId) => streakOf(call, userId)));
  return { body: ids.map((userId, place) => ({ userId, ...streaks[place] })) };
}

/** The parameter once for each id, or once for all, separated by commas; unless somebody has that very text as id. */
async function idsOf(call: Call, { userIds: given = [] }: { userIds?: string[] }): Promise<string[]> {
  const [text] = given;
  if (text === undefined || given.length > 1 || !text.includes(',')) return given;
  const known = await userIdOf(call.api.context.pool, call.projectId, text);
  return known === undefined ? text.split(',') : given;
}

/** Of length 0 for who is not known. */
async function streakOf(call: Call, userId: string): Promise<{ streakLength: number; extended: string | null }> {
  try {
    const { streak, extended } = await streakNow(call, userId, 0);
    return { streakLength: Number(streak.length), extended };
  } catch (error) {
    if (error instanceof GuerdonError && error.reason === 'USER_UNKNOWN') return { streakLength: 0, extended: null };
    throw error;
  }
}
