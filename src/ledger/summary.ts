import { instantText, type Queryable } from '../db/pool.ts';
import type { AttributeFilter, Instant } from '../rules/types.ts';

/**
 * The last entry of an account that was written at `at` or before; undefined: there was none. Entries are written in the
 * order of their versions, so halving finds it: twenty look-ups in a million.
 */
export async function balanceAt(
  db: Queryable,
  userId: string,
  systemId: string,
  at: Instant,
): Promise<{ balance: bigint; version: bigint } | undefined> {
  const { rows } = await db.query({
    name: 'balance-at',
    text: `with recursive span as (
        select 0::bigint as low, version as high from accounts where user_id = $1 and system_id = $2
        union all
        select case when e.created_at <= $3 then e.version else s.low end,
          case when e.created_at <= $3 then s.high else e.version - 1 end
        from span s join entries e on e.user_id = $1 and e.system_id = $2 and e.version = (s.low + s.high + 1) / 2
        where s.low < s.high
      )
      select e.version, e.balance_after from span s
      join entries e on e.user_id = $1 and e.system_id = $2 and e.version = s.low where s.low = s.high`,
    values: [userId, systemId, instantText(at)],
  });
  return rows[0] && { balance: BigInt(rows[0].balance_after), version: BigInt(rows[0].version) };
}

/** All that an account had earned when the entry of this version was written. */
export async function earnedAt(db: Queryable, userId: string, systemId: string, version: bigint): Promise<bigint> {
  const { rows } = await db.query({
    name: 'earned-at',
    text: `select earned - (select coalesce(sum(amount), 0) from entries
        where user_id = $1 and system_id = $2 and version > $3 and amount > 0 and kind <> 'reverse') as earned
      from accounts where user_id = $1 and system_id = $2`,
    values: [userId, systemId, version.toString()],
  });
  return BigInt(rows[0].earned);
}

/**
 * What was added to an account between instants, by when it happened: the first sum is that of all time before the first
 * edge, each other one of the time between two edges. Edges ascend.
 */
export async function sumsBetween(
  db: Queryable,
  userId: string,
  systemId: string,
  edges: readonly Instant[],
): Promise<bigint[]> {
  const { rows } = await db.query({
    name: 'sums-between',
    text: `select width_bucket(occurred_at, $3::timestamptz[]) as bucket, sum(amount) as sum
      from entries where user_id = $1 and system_id = $2 group by 1`,
    values: [userId, systemId, edges.map(instantText)],
  });
  const sums = new Map(rows.map((row) => [Number(row.bucket), BigInt(row.sum)]));
  return edges.map((_, bucket) => sums.get(bucket) ?? 0n);
}

const KNOWN = `from users u left join accounts a on a.user_id = u.id and a.system_id = $2
  where u.project_id = $1 and u.created_at is not null`;

export interface Distribution {
  /** A power of ten, at least 10. */
  upTo: bigint;
  /** By tenth of `upTo`: −1 below 0, 0 just 0, 1 to 10. */
  users: ReadonlyMap<number, bigint>;
}

/** How many known users of the project have how many points; users without an account have 0. */
export async function distribution(
  db: Queryable,
  projectId: string,
  systemId: string,
  filters: readonly AttributeFilter[],
): Promise<Distribution> {
  const { rows } = await db.query({
    name: 'distribution',
    text: `with balances as materialized (
        select coalesce(a.balance, 0) as balance ${KNOWN} and u.attributes @> $3::jsonb
      ), highest as (
        select (10::numeric ^ length((greatest(max(balance), 1) - 1)::text))::bigint as up_to from balances
      )
      select h.up_to, case when balance <= 0 then sign(balance) else ceil(balance * 10.0 / h.up_to) end::int as tenth,
        count(balance) as users
      from highest h left join balances on true group by 1, 2`,
    values: [projectId, systemId, JSON.stringify(Object.fromEntries(filters.map(({ key, value }) => [key, value])))],
  });
  return {
    upTo: BigInt(rows[0]?.up_to ?? 10),
    users: new Map(rows.map((row) => [Number(row.tenth), BigInt(row.users)])),
  };
}

/**
 * How many known users have a basis from each threshold to below the next: by position, 0 below the first. Users without an
 * entry have 0; counting them as what is left costs less than joining all users to their accounts.
 */
export async function usersByThreshold(
  db: Queryable,
  projectId: string,
  systemId: string,
  basis: 'balance' | 'earned',
  thresholds: readonly bigint[],
): Promise<Map<number, bigint>> {
  const { rows } = await db.query({
    name: `users-by-${basis}`,
    text: `with held as (
        select width_bucket(${basis}, $3::bigint[]) as position, count(*) as users from accounts
        where system_id = $2 and version > 0 group by 1
      ), known as (
        select count(*) as users from users where project_id = $1 and created_at is not null
      )
      select position, sum(users) as users from (
        select position, users from held
        union all select width_bucket(0, $3::bigint[]), users - (select coalesce(sum(users), 0) from held) from known
      ) all_users group by 1`,
    values: [projectId, systemId, thresholds.map(String)],
  });
  return new Map(rows.map((row) => [Number(row.position), BigInt(row.users)]));
}

export interface StoredLevelChange {
  before: string | null;
  after: string | null;
  at: Instant;
  version: bigint;
}

/** The last `limit` changes of level below `beforeVersion`, the latest first. */
export async function levelChangesOf(
  db: Queryable,
  userId: string,
  systemId: string,
  page: { beforeVersion: string | undefined; limit: number },
): Promise<StoredLevelChange[]> {
  const { rows } = await db.query({
    name: 'level-changes-of',
    text: `select level_before, level_after, created_at, version from level_changes
      where user_id = $1 and system_id = $2 and ($3::bigint is null or version < $3) order by version desc limit $4`,
    values: [userId, systemId, page.beforeVersion ?? null, page.limit],
  });
  return rows.map((row) => ({
    before: row.level_before,
    after: row.level_after,
    at: row.created_at.getTime(),
    version: BigInt(row.version),
  }));
}

/** An account as it stands, and who it belongs to where something is due there by the clock. */
export interface Standing {
  version: bigint;
  due: { projectId: string; user: string } | null;
}

/** By user and points system; those that nothing was posted to and nothing is due in are absent. */
export async function standingsOf(
  db: Queryable,
  accounts: readonly { userId: string; systemId: string }[],
  now: Instant,
): Promise<Map<string, Standing>> {
  const distinct = [...new Map(accounts.map((account) => [`${account.userId} ${account.systemId}`, account])).values()];
  const { rows } = await db.query({
    name: 'standings-of',
    text: `select asked.user_id, asked.system_id, coalesce(a.version, 0) as version, u.project_id, u.external_id
      from unnest($1::bigint[], $2::bigint[]) as asked (user_id, system_id)
      left join accounts a on a.user_id = asked.user_id and a.system_id = asked.system_id
      left join clocks c on c.user_id = asked.user_id and c.system_id = asked.system_id and c.due_at <= $3
      left join users u on u.id = c.user_id
      where a.version > 0 or c.user_id is not null`,
    values: [distinct.map(({ userId }) => userId), distinct.map(({ systemId }) => systemId), instantText(now)],
  });
  return new Map(
    rows.map((row) => {
      const due = row.external_id === null ? null : { projectId: row.project_id, user: row.external_id };
      return [`${row.user_id} ${row.system_id}`, { version: BigInt(row.version), due }];
    }),
  );
}
