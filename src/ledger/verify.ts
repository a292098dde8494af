import type { Pool, Queryable } from '../db/pool.ts';
import type { Programs } from '../db/programs.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { Counter, Program } from '../rules/types.ts';
import { entriesInOrder, eventsInOrder } from './chains.ts';
import { decideEventAgain, decisionOf } from './decide-again.ts';
import { shortest } from './events.ts';
import { canonical, entryHash, eventHash } from './hash.ts';
import { importsOf } from './imports.ts';
import type { EntryRow, EventRow, ImportRow } from './rows.ts';
import { commandsFault } from './verify-commands.ts';
import { CounterChains } from './verify-counters.ts';
import { ExpectedEntries } from './verify-entries.ts';
import { importFault, openingOf } from './verify-import.ts';
import { StreakCount } from './verify-streaks.ts';
import { UsageCount } from './verify-usage.ts';

/** The first row that is not what it must be, and in what way. */
export interface Fault {
  row: string;
  fault: string;
}

export interface Verified {
  users: number;
  events: number;
  entries: number;
  fault: Fault | undefined;
}

const USERS_AT_ONCE = 200;

/**
 * Recomputes everything that can be recomputed: what each user was imported with, the chain of events with its hashes,
 * totals, counters and decisions, what limits have counted, each account's chain of entries with its hashes and sums, and that awards are those that were
 * decided. Stops at the first fault, in the order of user ids;
 * `abreast`: so many users at once.
 */
export async function verify(pool: Pool, programs: Programs, { abreast = 1 } = {}): Promise<Verified> {
  const counts: Verified = { users: 0, events: 0, entries: 0, fault: undefined };
  for (let after = '0'; ; ) {
    const { rows } = await pool.query(
      `select id, project_id, seq, event_hash, created_at from users where id > $1 order by id limit ${USERS_AT_ONCE}`,
      [after],
    );
    const ids = rows.map(({ id }) => id);
    const imports = await importsOf(pool, ids);
    const users: UserHead[] = rows.map((row) => ({ ...row, imported: imports.get(row.id) }));
    for (let from = 0; from < users.length; from += abreast) {
      const some = users.slice(from, from + abreast).map((user) => verifyUser(pool, programs, user));
      for (const { events, entries, fault } of await Promise.all(some)) {
        counts.events += events;
        counts.entries += entries;
        counts.fault = fault;
        if (fault !== undefined) return counts;
        counts.users += 1;
      }
    }
    if (rows.length < USERS_AT_ONCE) return counts;
    after = ids.at(-1);
  }
}

interface UserHead {
  id: string;
  project_id: string;
  seq: string;
  event_hash: Buffer | null;
  created_at: Date | null;
  imported: ImportRow | undefined;
}

async function verifyUser(pool: Pool, programs: Programs, user: UserHead): Promise<Omit<Verified, 'users'>> {
  const counts = { events: 0, entries: 0 };
  const fault = await userFault(pool, programs, user, counts);
  return { ...counts, fault };
}

async function userFault(
  pool: Pool,
  programs: Programs,
  user: UserHead,
  counts: { events: number; entries: number },
): Promise<Fault | undefined> {
  const expected = new ExpectedEntries();
  const { imported } = user;
  const opening = openingOf(imported);
  const totals = new Map(opening.totals);
  const counters = new CounterChains(opening.counters);
  const usage = new UsageCount();
  const streaks = new StreakCount();
  if (imported !== undefined) {
    const fault = importFault(imported, user.created_at);
    if (fault !== undefined) return { row: `user_imports (${user.id})`, fault };
    const { program } = await programs.get(pool, user.project_id, imported.programVersion);
    expected.takeImport(imported, program);
    streaks.begin(imported, program);
  }
  const decided = await commandsFault(pool, programs, user, expected);
  if ('fault' in decided) return decided;
  let seq = 0n;
  let hash: Buffer | null = null;
  for await (const event of eventsInOrder(pool, user.id)) {
    const row = `events (${user.id}, ${event.id})`;
    const index = await programs.get(pool, user.project_id, event.programVersion);
    const decision = decisionOf(event);
    const fault =
      eventFault(event, index.program, seq, hash, totals.get(event.metricId), decided.completedBefore(event.seq)) ??
      counters.take(decision) ??
      usage.take(decision.fired, index, event.occurredAt) ??
      streaks.take(decision.streak, index.program) ??
      decided.completionsFault(event.id, decision.completed);
    if (fault !== undefined) return { row, fault };
    seq = event.seq;
    hash = event.hash;
    totals.set(event.metricId, { total: parseDecimal(event.totalAfter), high: parseDecimal(event.highAfter) });
    expected.take(decision, { eventId: event.id, commandId: null });
    counts.events += 1;
  }
  if (seq !== BigInt(user.seq))
    return { row: `users (${user.id})`, fault: `seq is ${user.seq}, its events end at ${seq}` };
  if (!same(hash, user.event_hash)) return { row: `users (${user.id})`, fault: 'hash is not that of its last event' };
  return (
    (await totalsFault(pool, user.id, totals)) ??
    (await counters.fault(pool, user.id)) ??
    (await usage.fault(pool, user.id)) ??
    (await streaks.fault(pool, user.id)) ??
    (await expected.levelsFault(pool, user.id)) ??
    decided.strayFault(user.id) ??
    (await accountsFault(pool, user.id, expected, counts))
  );
}

function eventFault(
  event: EventRow,
  program: Program,
  seqBefore: bigint,
  hashBefore: Buffer | null,
  counterBefore: Counter = { total: 0n, high: 0n },
  completed: ReadonlySet<string> = new Set(),
): string | undefined {
  if (event.seq !== seqBefore + 1n) return `seq is ${event.seq}, it must be ${seqBefore + 1n}`;
  if (event.totalBefore !== formatDecimal(counterBefore.total)) {
    return `total before is ${event.totalBefore}, the event before left ${formatDecimal(counterBefore.total)}`;
  }
  if (event.highBefore !== formatDecimal(counterBefore.high)) {
    return `high-water mark before is ${event.highBefore}, the event before left ${formatDecimal(counterBefore.high)}`;
  }
  if (!same(eventHash(hashBefore, event), event.hash)) return 'hash does not match its content';
  const again = decideEventAgain(event, program, completed);
  return canonical(again) === canonical(event.decision) ? undefined : 'its program and inputs give another decision';
}

async function totalsFault(db: Queryable, userId: string, totals: Map<string, Counter>): Promise<Fault | undefined> {
  const { rows } = await db.query('select metric_id, total, high from metric_totals where user_id = $1', [userId]);
  const stored = new Map(rows.map((row) => [row.metric_id as string, row]));
  for (const [metricId, counter] of totals) {
    const row = stored.get(metricId);
    const is = row === undefined ? 'missing' : `${shortest(row.total)}, high ${shortest(row.high)}`;
    const must = `${formatDecimal(counter.total)}, high ${formatDecimal(counter.high)}`;
    if (is !== must)
      return { row: `metric_totals (${userId}, ${metricId})`, fault: `is ${is}; its events give ${must}` };
  }
  const stray = rows.find((row) => !totals.has(row.metric_id) && Number(row.high) !== 0);
  return stray === undefined
    ? undefined
    : { row: `metric_totals (${userId}, ${stray.metric_id})`, fault: 'counts something without any event' };
}

async function accountsFault(
  db: Queryable,
  userId: string,
  expected: ExpectedEntries,
  counts: { entries: number },
): Promise<Fault | undefined> {
  const { rows: accounts } = await db.query(
    'select system_id, balance, earned, version, hash from accounts where user_id = $1 order by system_id',
    [userId],
  );
  for (const account of accounts) {
    const sum = { balance: 0n, earned: 0n, version: 0n };
    let hash: Buffer | null = null;
    for await (const entry of entriesInOrder(db, userId, account.system_id)) {
      const row = `entries (${userId}, ${entry.systemId}, ${entry.version})`;
      const fault = entryFault(entry, sum, hash, expected);
      if (fault !== undefined) return { row, fault };
      sum.version = entry.version;
      sum.balance = entry.balanceAfter;
      sum.earned += entry.earned ?? (entry.amount > 0n ? entry.amount : 0n);
      hash = entry.hash;
      counts.entries += 1;
    }
    const row = `accounts (${userId}, ${account.system_id})`;
    for (const field of ['version', 'balance', 'earned'] as const) {
      if (BigInt(account[field]) !== sum[field]) {
        return { row, fault: `${field} is ${account[field]}, its entries give ${sum[field]}` };
      }
    }
    if (!same(hash, account.hash)) return { row, fault: 'hash is not that of its last entry' };
  }
  return expected.missing(userId);
}

function entryFault(
  entry: EntryRow,
  sum: { balance: bigint; version: bigint },
  hashBefore: Buffer | null,
  expected: ExpectedEntries,
): string | undefined {
  if (entry.version !== sum.version + 1n) return `version is ${entry.version}, it must be ${sum.version + 1n}`;
  if (entry.balanceAfter !== sum.balance + entry.amount) {
    return `balance after is ${entry.balanceAfter}; ${entry.amount} on ${sum.balance} is ${sum.balance + entry.amount}`;
  }
  if (!same(entryHash(hashBefore, entry), entry.hash)) return 'hash does not match its content';
  return expected.fault(entry);
}

function same(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
