import type { QueryResultRow } from 'pg';
import { instantText, type Queryable } from '../db/pool.ts';
import type { Fired } from '../rules/decision.ts';
import { type FiredRecord, readFired } from '../rules/fired-record.ts';
import type { Clock } from '../rules/ticks.ts';
import type { Attributes, Instant, ZonePeriod } from '../rules/types.ts';
import { readClock } from './clocks.ts';
import type { EntryKind } from './rows.ts';

/** Plain JSON form of an account: points as strings. */
export interface BalanceNow {
  balance: string;
  earned: string;
}

/** Accounts as they are now: by user id, then by system id. */
export async function findAccounts(
  db: Queryable,
  wanted: readonly { userId: string; systemId: string }[],
): Promise<Map<string, Map<string, BalanceNow>>> {
  const found = new Map<string, Map<string, BalanceNow>>();
  if (wanted.length === 0) return found;
  const { rows } = await db.query({
    name: 'find-accounts',
    text: `select distinct a.user_id, a.system_id, a.balance, a.earned
      from unnest($1::bigint[], $2::bigint[]) as asked (user_id, system_id)
      join accounts a using (user_id, system_id)`,
    values: [wanted.map((row) => row.userId), wanted.map((row) => row.systemId)],
  });
  for (const row of rows) {
    const systems = found.get(row.user_id) ?? new Map<string, BalanceNow>();
    systems.set(row.system_id, { balance: row.balance, earned: row.earned });
    found.set(row.user_id, systems);
  }
  return found;
}

/** A user with its account in one points system; zero where nothing was posted. */
export interface UserBalance {
  userId: string;
  zones: readonly ZonePeriod[];
  attributes: Attributes;
  balance: bigint;
  earned: bigint;
  version: bigint;
  created: Instant;
  /** How far ticks are settled in the points system; undefined: never. */
  clock: Clock | undefined;
}

/** An account, by the app's id of its user. */
export interface AccountOf {
  projectId: string;
  externalId: string;
  systemId: string;
}

/** Undefined: no user of the project has this id. */
export async function userBalance(db: Queryable, of: AccountOf): Promise<UserBalance | undefined> {
  const [balance] = await userBalances(db, [of]);
  return balance;
}

/** The user with each of these accounts, in their order; undefined where no user of the project has this id. */
export async function userBalances(db: Queryable, of: readonly AccountOf[]): Promise<(UserBalance | undefined)[]> {
  const { rows } = await db.query({
    name: 'user-balances',
    text: `select asked.place, u.id, u.zones, u.attributes, u.created_at, c.settled_at, c.running,
        coalesce(a.balance, 0) as balance, coalesce(a.earned, 0) as earned, coalesce(a.version, 0) as version
      from ${ASKED} join users u using (project_id, external_id)
      left join accounts a on a.user_id = u.id and a.system_id = asked.system_id
      left join clocks c on c.user_id = u.id and c.system_id = asked.system_id
      where u.created_at is not null`,
    values: askedOf(of),
  });
  const found = of.map((): UserBalance | undefined => undefined);
  for (const row of rows) {
    found[row.place - 1] = {
      userId: row.id,
      zones: row.zones,
      attributes: row.attributes,
      balance: BigInt(row.balance),
      earned: BigInt(row.earned),
      version: BigInt(row.version),
      created: row.created_at.getTime(),
      clock: row.settled_at === null ? undefined : readClock({ settled_at: row.settled_at, running: row.running }),
    };
  }
  return found;
}

/**
 * A list of accounts as a table. The limit is that of the list itself: without one the planner takes the list for longer than
 * it is, and plans anew for each call, which costs more than the look-ups.
 */
const ASKED = `(
    select project_id, external_id, system_id, place::int
    from unnest($1::bigint[], $2::text[], $3::bigint[]) with ordinality as s (project_id, external_id, system_id, place)
    limit $4
  ) asked`;

function askedOf(of: readonly AccountOf[]): unknown[] {
  const column = (name: keyof AccountOf) => of.map((account) => account[name]);
  return [column('projectId'), column('externalId'), column('systemId'), of.length];
}

/** The internal id of a user; undefined: no user of the project has this id. */
export async function userIdOf(db: Queryable, projectId: string, user: string): Promise<string | undefined> {
  const { rows } = await db.query({
    name: 'user-id',
    text: 'select id from users where project_id = $1 and external_id = $2 and created_at is not null',
    values: [projectId, user],
  });
  return rows[0]?.id;
}

export interface StoredEntry {
  version: bigint;
  kind: EntryKind;
  amount: bigint;
  balanceAfter: bigint;
  eventId: string | null;
  triggerId: string | null;
  occurredAt: Instant;
  createdAt: Instant;
  reason: string | null;
  key: string | null;
}

/** Which entries; `kinds` none: of any, instants null: of any time. */
export interface EntryPage {
  beforeVersion: string | undefined;
  limit: number;
  kinds: readonly EntryKind[];
  /** Written at this instant or later. */
  since: Instant | null;
  /** Written before this instant. */
  until: Instant | null;
}

const ENTRIES = `select e.version, e.kind, e.amount, e.balance_after, e.event_id, e.trigger_id, e.occurred_at,
    e.created_at, c.reason, c.key
  from entries e left join commands c on c.user_id = e.user_id and c.id = e.command_id and c.kind = e.kind`;

/** The last `limit` entries of an account below `beforeVersion`, the newest first. */
export async function entriesOf(
  db: Queryable,
  userId: string,
  systemId: string,
  page: EntryPage,
): Promise<StoredEntry[]> {
  const { rows } = await db.query({
    name: 'entries-of',
    text: `${ENTRIES} where e.user_id = $1 and e.system_id = $2 and ($3::bigint is null or e.version < $3)
        and (cardinality($5::text[]) = 0 or e.kind = any($5))
        and ($6::timestamptz is null or e.created_at >= $6) and ($7::timestamptz is null or e.created_at < $7)
      order by e.version desc limit $4`,
    values: [
      userId,
      systemId,
      page.beforeVersion ?? null,
      page.limit,
      page.kinds,
      page.since === null ? null : instantText(page.since),
      page.until === null ? null : instantText(page.until),
    ],
  });
  return rows.map(readEntry);
}

/** The first `limit` entries of an account above `version`, in their order. */
export async function entriesAfter(
  db: Queryable,
  userId: string,
  systemId: string,
  { version, limit }: { version: bigint; limit: number },
): Promise<StoredEntry[]> {
  const { rows } = await db.query({
    name: 'entries-after',
    text: `${ENTRIES} where e.user_id = $1 and e.system_id = $2 and e.version > $3 order by e.version limit $4`,
    values: [userId, systemId, version.toString(), limit],
  });
  return rows.map(readEntry);
}

function readEntry(row: QueryResultRow): StoredEntry {
  return {
    version: BigInt(row.version),
    kind: row.kind,
    amount: BigInt(row.amount),
    balanceAfter: BigInt(row.balance_after),
    eventId: row.event_id,
    triggerId: row.trigger_id,
    occurredAt: row.occurred_at.getTime(),
    createdAt: row.created_at.getTime(),
    reason: row.reason,
    key: row.key,
  };
}

export interface StoredAward {
  /** Null: given without an event. */
  eventId: string | null;
  occurredAt: Instant;
  /** As it was decided. */
  fired: Fired;
}

/** The last awards in each of these accounts, as many as it says, with the decisions behind them, the newest first. */
export async function awardsOf(
  db: Queryable,
  of: readonly (AccountOf & { awards: number })[],
): Promise<StoredAward[][]> {
  const found = of.map((): StoredAward[] => []);
  if (of.every(({ awards }) => awards === 0)) return found;
  // One row an account: rows are dearer to read than what is in them.
  const { rows } = await db.query({
    name: 'awards-of',
    text: `select asked.place, last.awards
      from ${ASKED} join users u using (project_id, external_id)
      cross join lateral (
        select json_agg(json_build_array(e.version::text, e.event_id, (extract(epoch from e.occurred_at) * 1000)::bigint,
          case when e.cause_key like 'tick:%' then t.record->'runs'
          else coalesce(v.decision, c.decision, p.decision)->'fired' end) order by e.version desc) as awards
        from (
          select version, event_id, command_id, cause_key, occurred_at from entries
          where user_id = u.id and system_id = asked.system_id and kind = 'award'
          order by version desc limit ($5::int[])[asked.place]
        ) e
        left join events v on v.user_id = u.id and v.id = e.event_id
        left join user_commands c on c.user_id = u.id and c.id = e.command_id
        left join completions p on p.user_id = u.id and p.id = e.command_id
        left join settlements t on t.user_id = u.id and t.id = e.command_id
      ) last
      where last.awards is not null`,
    values: [...askedOf(of), of.map(({ awards }) => awards)],
  });
  for (const { place, awards } of rows) {
    const { systemId } = of[place - 1] as AccountOf;
    found[place - 1] = (awards as AwardRow[]).map(([version, eventId, occurredAt, decided]) => {
      const own = decided.find((one) => one.system === systemId && one.version === version) as FiredRecord;
      return { eventId, occurredAt, fired: readFired(own) };
    });
  }
  return found;
}

/** Everything that was decided together is there; the award is the one that has this version of the account. */
type AwardRow = [version: string, eventId: string | null, occurredAt: Instant, decided: FiredRecord[]];
