import type { Queryable } from '../db/pool.ts';
import { GuerdonError } from '../errors.ts';
import { type UserBalance, userBalances } from '../ledger/balance.ts';
import { findUserBoosts } from '../ledger/boosts.ts';
import { applicable } from '../rules/boost.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Boost, System } from '../rules/types.ts';
import type { Call } from './call.ts';

/** The program in force. */
export async function currentProgram(call: Call): Promise<ProgramIndex> {
  const { programs, pool } = call.api.context;
  return (await programs.current(pool, [call.projectId])).get(call.projectId) as ProgramIndex;
}

/**
 * Reads by the program in force, all of it on one connection. It begins with the program that was in force last while it asks
 * which one is: statements that need nothing of each other go to the server together. Where it is another, it begins again.
 */
export async function readByProgram<T>(
  { api, projectId }: Call,
  read: (db: Queryable, index: ProgramIndex) => Promise<T>,
): Promise<T> {
  const { programs, pool } = api.context;
  const last = programs.last(projectId);
  const client = await pool.connect();
  try {
    const asked = programs.current(client, [projectId]);
    const [current, early] = await Promise.allSettled([asked, last && read(client, last)]);
    if (current.status === 'rejected') throw current.reason;
    const index = current.value.get(projectId) as ProgramIndex;
    if (index !== last) return await read(client, index);
    if (early.status === 'rejected') throw early.reason;
    return early.value as T;
  } finally {
    client.release();
  }
}

/** A points system of the program in force; NOT_FOUND for any other key. */
export function systemOf(index: ProgramIndex, key: string): System {
  const system = index.systemByKey.get(key);
  if (system === undefined) {
    throw new GuerdonError('NOT_FOUND', 'POINTS_SYSTEM_UNKNOWN', `system_key: no points system ${JSON.stringify(key)}`);
  }
  return system;
}

export function userUnknown(user: string): GuerdonError {
  return new GuerdonError('NOT_FOUND', 'USER_UNKNOWN', `user_id: no user ${JSON.stringify(user)}`);
}

/** A user with the account in each of these points systems, and the boosts that apply to the awards there now. */
export async function boostsNow(
  call: Call,
  db: Queryable,
  { program }: ProgramIndex,
  systems: readonly System[],
  userId: string,
): Promise<{ system: System; user: UserBalance; boosts: readonly Boost[] }[]> {
  const ids = systems.map(({ id }) => id);
  const [users, found] = await Promise.all([
    userBalances(db, call.projectId, userId, ids),
    findUserBoosts(db, [{ projectId: call.projectId, externalId: userId }]),
  ]);
  const own = found.get(`${call.projectId} ${userId}`) ?? [];
  return systems.map((system, place) => {
    const user = users[place];
    if (user === undefined) throw userUnknown(userId);
    const all = [...system.boosts, ...own.filter((boost) => boost.systemId === system.id)];
    return { system, user, boosts: applicable(all, user, call.receivedAt, program.timeZone) };
  });
}

/** Keys of all points systems that the project ever had, by id. */
export async function systemKeys(call: Call): Promise<ReadonlyMap<string, string>> {
  const { rows } = await call.api.context.pool.query({
    name: 'system-keys',
    text: 'select id, key from points_systems where project_id = $1',
    values: [call.projectId],
  });
  return new Map(rows.map((row) => [row.id, row.key]));
}
