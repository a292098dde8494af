import type { Queryable } from '../db/pool.ts';
import type { Counter } from '../rules/types.ts';
import { type AccountState, pairKey, toAccounts, toCounters, toUser } from './load.ts';
import type { UserRow } from './rows.ts';

// What `load.ts` loads, looked at without locking or making anything: for deciding what is not going to be applied.

/** Users by `projectId` and `externalId`; unknown ones are absent. */
export async function lookAtUsers(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
): Promise<UserRow[]> {
  const { rows } = await db.query({
    name: 'look-users',
    text: `select u.* from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)`,
    values: [users.map((user) => user.projectId), users.map((user) => user.externalId)],
  });
  return rows.map(toUser);
}

export async function lookAtTotals(
  db: Queryable,
  wanted: readonly { userId: string; metricId: string }[],
): Promise<Map<string, Counter>> {
  const { rows } = await db.query({
    name: 'look-totals',
    text: `select user_id, metric_id as part, total, high from unnest($1::bigint[], $2::bigint[]) as a (user_id, metric_id)
      join metric_totals using (user_id, metric_id)`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.metricId)],
  });
  return withNothing(wanted, (row) => pairKey(row.userId, row.metricId), toCounters(rows), { total: 0n, high: 0n });
}

export async function lookAtTriggerCounters(
  db: Queryable,
  wanted: readonly { userId: string; triggerId: string }[],
): Promise<Map<string, Counter>> {
  const { rows } = await db.query({
    name: 'look-trigger-counters',
    text: `select user_id, trigger_id as part, total, high from unnest($1::bigint[], $2::uuid[]) as a (user_id, trigger_id)
      join trigger_counters using (user_id, trigger_id)`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.triggerId)],
  });
  return withNothing(wanted, (row) => pairKey(row.userId, row.triggerId), toCounters(rows), { total: 0n, high: 0n });
}

export async function lookAtAccounts(
  db: Queryable,
  wanted: readonly { userId: string; systemId: string }[],
): Promise<Map<string, AccountState>> {
  const { rows } = await db.query({
    name: 'look-accounts',
    text: `select user_id, system_id, balance, earned, version, hash
      from unnest($1::bigint[], $2::bigint[]) as a (user_id, system_id) join accounts using (user_id, system_id)`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.systemId)],
  });
  const nothing = { balance: 0n, earned: 0n, version: 0n, hash: null };
  return withNothing(wanted, (row) => pairKey(row.userId, row.systemId), toAccounts(rows), nothing);
}

function withNothing<W, R>(
  wanted: readonly W[],
  keyOf: (row: W) => string,
  found: ReadonlyMap<string, R>,
  nothing: R,
): Map<string, R> {
  return new Map([...wanted.map((row) => [keyOf(row), nothing] as const), ...found]);
}
