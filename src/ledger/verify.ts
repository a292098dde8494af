import type { Pool, Queryable } from '../db/pool.ts';
import type { Programs } from '../db/programs.ts';
import { decide, decideCreation } from '../rules/decide.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import { usageKey } from '../rules/quota.ts';
import { type DecisionRecord, fromRecord, toRecord } from '../rules/record.ts';
import type { Account, Applied, Counter, Fired, Program, Usage, UserState } from '../rules/types.ts';
import { type CreationRow, creationOf, eventsInOrder } from './chains.ts';
import { shortest } from './events.ts';
import { canonical, eventHash } from './hash.ts';
import { importsOf } from './imports.ts';
import type { EventRow, ImportRow } from './rows.ts';
import { accountsFault, type Expected, expectAwards, expectImport, same } from './verify-accounts.ts';
import { CounterChains } from './verify-counters.ts';
import { importFault, openingOf } from './verify-import.ts';
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
 * decided. Stops at the first fault, in the order of user ids.
 */
export async function verify(pool: Pool, programs: Programs): Promise<Verified> {
  const counts: Verified = { users: 0, events: 0, entries: 0, fault: undefined };
  for (let after = '0'; ; ) {
    const { rows } = await pool.query(
      `select id, project_id, seq, event_hash, created_at from users where id > $1 order by id limit ${USERS_AT_ONCE}`,
      [after],
    );
    const users = rows as Omit<UserHead, 'imported'>[];
    const imports = await importsOf(
      pool,
      users.map(({ id }) => id),
    );
    for (const user of users) {
      counts.fault = await verifyUser(pool, programs, { ...user, imported: imports.get(user.id) }, counts);
      if (counts.fault !== undefined) return counts;
      counts.users += 1;
      after = user.id;
    }
    if (rows.length < USERS_AT_ONCE) return counts;
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

async function verifyUser(
  pool: Pool,
  programs: Programs,
  user: UserHead,
  counts: Verified,
): Promise<Fault | undefined> {
  const expected: Expected = new Map();
  if (user.imported !== undefined) {
    const fault = importFault(user.imported, user.created_at);
    if (fault !== undefined) return { row: `user_imports (${user.id})`, fault };
    expectImport(expected, user.imported);
  }
  const opening = openingOf(user.imported);
  const totals = new Map(opening.totals);
  const counters = new CounterChains(opening.counters);
  const usage = new UsageCount();
  let seq = 0n;
  let hash: Buffer | null = null;
  const creation = await creationOf(pool, user.id);
  if (creation !== undefined) {
    const { program } = await programs.get(pool, user.project_id, creation.programVersion);
    const row = `user_commands (${user.id}, ${creation.id})`;
    const again = createAgain(creation, program);
    if (canonical(again) !== canonical(creation.decision)) {
      return { row, fault: 'its program and inputs give another decision' };
    }
    expectAwards(expected, creationDecision(creation).fired, { eventId: null, commandId: creation.id });
  }
  for await (const event of eventsInOrder(pool, user.id)) {
    const row = `events (${user.id}, ${event.id})`;
    const index = await programs.get(pool, user.project_id, event.programVersion);
    const fault =
      eventFault(event, index.program, seq, hash, totals.get(event.metricId)) ??
      counters.take(decisionOf(event)) ??
      usage.take(decisionOf(event).fired, index, event.occurredAt);
    if (fault !== undefined) return { row, fault };
    seq = event.seq;
    hash = event.hash;
    totals.set(event.metricId, { total: parseDecimal(event.totalAfter), high: parseDecimal(event.highAfter) });
    expectAwards(expected, decisionOf(event).fired, { eventId: event.id, commandId: null });
    counts.events += 1;
  }
  if (seq !== BigInt(user.seq))
    return { row: `users (${user.id})`, fault: `seq is ${user.seq}, its events end at ${seq}` };
  if (!same(hash, user.event_hash)) return { row: `users (${user.id})`, fault: 'hash is not that of its last event' };
  return (
    (await totalsFault(pool, user.id, totals)) ??
    (await counters.fault(pool, user.id)) ??
    (await usage.fault(pool, user.id)) ??
    (await accountsFault(pool, user.id, expected, counts))
  );
}

function eventFault(
  event: EventRow,
  program: Program,
  seqBefore: bigint,
  hashBefore: Buffer | null,
  counterBefore: Counter = { total: 0n, high: 0n },
): string | undefined {
  if (event.seq !== seqBefore + 1n) return `seq is ${event.seq}, it must be ${seqBefore + 1n}`;
  if (event.totalBefore !== formatDecimal(counterBefore.total)) {
    return `total before is ${event.totalBefore}, the event before left ${formatDecimal(counterBefore.total)}`;
  }
  if (event.highBefore !== formatDecimal(counterBefore.high)) {
    return `high-water mark before is ${event.highBefore}, the event before left ${formatDecimal(counterBefore.high)}`;
  }
  if (!same(eventHash(hashBefore, event), event.hash)) return 'hash does not match its content';
  const again = decideAgain(event, program);
  return canonical(again) === canonical(event.decision) ? undefined : 'its program and inputs give another decision';
}

/** Decides the event from what is stored with it. */
function decideAgain(event: EventRow, program: Program): DecisionRecord | string {
  const stored = decisionOf(event);
  const decision = decide(program, stateBefore(stored), {
    metricId: event.metricId,
    value: parseDecimal(event.value),
    attributes: event.attributes,
    at: event.occurredAt,
    ...(stored.created !== null && { created: stored.created }),
  });
  return decision.outcome === 'applied' ? toRecord(decision) : decision.code;
}

/** Decides what the user got for becoming known from what is stored with it. */
function createAgain(creation: CreationRow, program: Program): DecisionRecord | string {
  const decision = decideCreation(program, stateBefore(creationDecision(creation)), creation.receivedAt);
  return decision.outcome === 'applied' ? toRecord(decision) : decision.code;
}

function creationDecision({ decision, programVersion }: CreationRow): Applied {
  const zero = { total: 0n, high: 0n };
  return fromRecord(decision, { programVersion, counter: { before: zero, after: zero } });
}

/** Of the user's state, all that a decision looked at. */
function stateBefore(stored: Applied): UserState {
  const accounts = new Map<string, Account>(stored.systems.map((change) => [change.systemId, change.before]));
  const counters = new Map<string, Counter>();
  for (const item of [...stored.fired, ...stored.notFired]) {
    if (item.counter !== undefined) counters.set(item.triggerId, item.counter.before);
  }
  const attributes = Object.entries(stored.consulted).filter((entry): entry is [string, string] => entry[1] !== null);
  return {
    attributes: Object.fromEntries(attributes),
    zones: stored.zone === null ? [] : [{ from: Number.MIN_SAFE_INTEGER, zone: stored.zone }],
    boosts: stored.userBoosts,
    counter: stored.counter.before,
    triggerCounters: counters,
    usage: usageBefore(stored.fired),
    accounts,
  };
}

function usageBefore(fired: readonly Fired[]): Map<string, Usage> {
  const usage = new Map<string, Usage>();
  for (const { triggerId, held } of fired) {
    for (const [slot, paid] of held?.usage ?? []) usage.set(usageKey(triggerId, slot), paid);
  }
  return usage;
}

function decisionOf(event: EventRow) {
  return fromRecord(event.decision, {
    programVersion: event.programVersion,
    counter: {
      before: { total: parseDecimal(event.totalBefore), high: parseDecimal(event.highBefore) },
      after: { total: parseDecimal(event.totalAfter), high: parseDecimal(event.highAfter) },
    },
  });
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
