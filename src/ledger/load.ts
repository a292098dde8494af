import type { QueryResultRow } from 'pg';
import { type Client, instantText } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Account, Counter, Instant } from '../rules/types.ts';
import type { UserRow } from './rows.ts';

// Every statement here is an upsert that returns the row: it locks what it loads, and under serializable isolation a
// SELECT of rows that other lanes write would bring conflicts back. The order of the rows is the order of the locks.

export interface AccountState extends Account {
  hash: Buffer | null;
}

/** Users by `projectId` and `externalId`; unknown ones get a row that is not created yet. */
export async function loadUsers(
  client: Client,
  users: readonly { projectId: string; externalId: string }[],
  now: Instant,
): Promise<UserRow[]> {
  const { rows } = await client.query({
    name: 'load-users',
    text: `insert into users as u (project_id, external_id, updated_at)
      select project_id, external_id, $3::timestamptz
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      order by 1, 2
      on conflict (project_id, external_id) do update set updated_at = u.updated_at
      returning id, project_id, external_id, name, email, zones, attributes, seq, event_hash, created_at, updated_at`,
    values: [users.map((user) => user.projectId), users.map((user) => user.externalId), instantText(now)],
  });
  return rows.map(toUser);
}

export function toUser(row: QueryResultRow): UserRow {
  return {
    id: row.id,
    projectId: row.project_id,
    externalId: row.external_id,
    name: row.name,
    email: row.email,
    zones: row.zones,
    attributes: row.attributes,
    seq: BigInt(row.seq),
    eventHash: row.event_hash,
    createdAt: row.created_at?.getTime() ?? null,
    updatedAt: row.updated_at.getTime(),
  };
}

/** Running totals and high-water marks by user and metric, zero where nothing was counted. */
export async function loadTotals(
  client: Client,
  wanted: readonly { userId: string; metricId: string }[],
): Promise<Map<string, Counter>> {
  if (wanted.length === 0) return new Map();
  const { rows } = await client.query({
    name: 'load-totals',
    text: `insert into metric_totals as t (user_id, metric_id)
      select user_id, metric_id from unnest($1::bigint[], $2::bigint[]) as asked (user_id, metric_id)
      order by 1, 2
      on conflict (user_id, metric_id) do update set total = t.total
      returning user_id, metric_id as part, total, high`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.metricId)],
  });
  return toCounters(rows);
}

/** Counters of triggers with event filters, by user and trigger. */
export async function loadTriggerCounters(
  client: Client,
  wanted: readonly { userId: string; triggerId: string }[],
): Promise<Map<string, Counter>> {
  if (wanted.length === 0) return new Map();
  const { rows } = await client.query({
    name: 'load-trigger-counters',
    text: `insert into trigger_counters as t (user_id, trigger_id)
      select user_id, trigger_id from unnest($1::bigint[], $2::uuid[]) as asked (user_id, trigger_id)
      order by 1, 2
      on conflict (user_id, trigger_id) do update set total = t.total
      returning user_id, trigger_id as part, total, high`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.triggerId)],
  });
  return toCounters(rows);
}

/** Accounts by user and points system, empty where nothing was posted. */
export async function loadAccounts(
  client: Client,
  wanted: readonly { userId: string; systemId: string }[],
): Promise<Map<string, AccountState>> {
  if (wanted.length === 0) return new Map();
  const { rows } = await client.query({
    name: 'load-accounts',
    text: `insert into accounts as a (user_id, system_id)
      select user_id, system_id from unnest($1::bigint[], $2::bigint[]) as asked (user_id, system_id)
      order by 1, 2
      on conflict (user_id, system_id) do update set version = a.version
      returning user_id, system_id, balance, earned, version, hash`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.systemId)],
  });
  return toAccounts(rows);
}

export function toAccounts(rows: readonly QueryResultRow[]): Map<string, AccountState> {
  return new Map(
    rows.map((row) => [
      pairKey(row.user_id, row.system_id),
      { balance: BigInt(row.balance), earned: BigInt(row.earned), version: BigInt(row.version), hash: row.hash },
    ]),
  );
}

/** How the maps of this file are keyed: a user and what belongs to it. */
export function pairKey(userId: string, part: string): string {
  return `${userId} ${part}`;
}

export function toCounters(rows: readonly QueryResultRow[]): Map<string, Counter> {
  return new Map(
    rows.map((row) => [
      pairKey(row.user_id, row.part),
      { total: parseDecimal(row.total), high: parseDecimal(row.high) },
    ]),
  );
}
