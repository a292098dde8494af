import type { QueryResultRow } from 'pg';
import { type Client, instantText, type Queryable } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Account, Counter, Instant } from '../rules/types.ts';
import type { UserRow } from './rows.ts';

// The rows that commands change. They are read under the lane's lock before the transaction begins: every writer of them
// holds it, so nothing can change meanwhile, and a SELECT inside would bring serialization failures back. Should somebody
// write without the lock all the same, the unique sequence of a user's events and the chain of each account tell.

export interface AccountState extends Account {
  hash: Buffer | null;
}

/** A user as the app names it. */
export interface UserName {
  projectId: string;
  externalId: string;
}

/** Where the rows are read from. */
export interface Rows {
  /** Those that are there. */
  users(users: readonly UserName[]): Promise<UserRow[]>;
  /** Running totals and high-water marks by user and metric. */
  totals(wanted: readonly { userId: string; metricId: string }[]): Promise<Map<string, Counter>>;
  /** Counters of triggers with event filters, by user and trigger. */
  triggerCounters(wanted: readonly { userId: string; triggerId: string }[]): Promise<Map<string, Counter>>;
  /** Accounts by user and points system. */
  accounts(wanted: readonly { userId: string; systemId: string }[]): Promise<Map<string, AccountState>>;
}

const USER_COLUMNS = `id, project_id, external_id, name, email, zones, attributes, device_tokens, seq, event_hash,
  created_at, updated_at`;

/** What is stored. */
export function storedRows(db: Queryable): Rows {
  const read = async (name: string, text: string, columns: unknown[][]): Promise<QueryResultRow[]> => {
    if (columns[0]?.length === 0) return [];
    return (await db.query({ name, text, values: columns })).rows;
  };
  return {
    users: async (users) => {
      const rows = await read(
        'load-users',
        `select ${USER_COLUMNS} from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
          join users using (project_id, external_id)`,
        [users.map((user) => user.projectId), users.map((user) => user.externalId)],
      );
      return rows.map(toUser);
    },
    totals: async (wanted) => {
      const rows = await read(
        'load-totals',
        `select user_id, metric_id as part, total, high
          from unnest($1::bigint[], $2::bigint[]) as asked (user_id, metric_id)
          join metric_totals using (user_id, metric_id)`,
        [wanted.map((row) => row.userId), wanted.map((row) => row.metricId)],
      );
      return toCounters(rows);
    },
    triggerCounters: async (wanted) => {
      const rows = await read(
        'load-trigger-counters',
        `select user_id, trigger_id as part, total, high
          from unnest($1::bigint[], $2::uuid[]) as asked (user_id, trigger_id)
          join trigger_counters using (user_id, trigger_id)`,
        [wanted.map((row) => row.userId), wanted.map((row) => row.triggerId)],
      );
      return toCounters(rows);
    },
    accounts: async (wanted) => {
      const rows = await read(
        'load-accounts',
        `select user_id, system_id, balance, earned, version, hash
          from unnest($1::bigint[], $2::bigint[]) as asked (user_id, system_id)
          join accounts using (user_id, system_id)`,
        [wanted.map((row) => row.userId), wanted.map((row) => row.systemId)],
      );
      return toAccounts(rows);
    },
  };
}

/** Makes rows of users that had none, inside the transaction; they are not created yet. */
export async function insertUsers(client: Client, users: readonly UserName[], now: Instant): Promise<UserRow[]> {
  if (users.length === 0) return [];
  const { rows } = await client.query({
    name: 'insert-new-users',
    text: `insert into users (project_id, external_id, updated_at)
      select project_id, external_id, $3::timestamptz
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      order by 1, 2
      returning ${USER_COLUMNS}`,
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
    deviceTokens: row.device_tokens,
    seq: BigInt(row.seq),
    eventHash: row.event_hash,
    createdAt: row.created_at?.getTime() ?? null,
    updatedAt: row.updated_at.getTime(),
  };
}

export function toAccounts(rows: readonly QueryResultRow[]): Map<string, AccountState> {
  return new Map(
    rows.map((row) => [
      pairKey(row.user_id, row.system_id),
      { balance: BigInt(row.balance), earned: BigInt(row.earned), version: BigInt(row.version), hash: row.hash },
    ]),
  );
}

export function toCounters(rows: readonly QueryResultRow[]): Map<string, Counter> {
  return new Map(
    rows.map((row) => [
      pairKey(row.user_id, row.part),
      { total: parseDecimal(row.total), high: parseDecimal(row.high) },
    ]),
  );
}

/** How the maps of this file are keyed: a user and what belongs to it. */
export function pairKey(userId: string, part: string): string {
  return `${userId} ${part}`;
}
