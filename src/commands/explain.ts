import type { Queryable } from '../db/pool.ts';
import type { Programs } from '../db/programs.ts';
import { settlementBefore } from '../ledger/chains.ts';
import type { StoredEvent } from '../ledger/stored-events.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { Applied, Fired, Held, NotFired, Reward, WhyNot } from '../rules/decision.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { fromRecord } from '../rules/record.ts';
import { fromSettlementRecord } from '../rules/settlement-record.ts';
import type { TickRun } from '../rules/ticks.ts';
import type { AttributeFilter, Completion, Counter, Rounding, StreakChange, System, Trigger } from '../rules/types.ts';

export interface Explanation {
  /** The program that decided. */
  index: ProgramIndex;
  triggers: ExplainedTrigger[];
  streak: StreakChange | null;
  completed: readonly Completion[];
  rewards: readonly Reward[];
  /** What was due by the clock, and was settled before. */
  ticks: readonly TickRun[];
  consulted: Applied['consulted'];
  zone: string | null;
}

/** One trigger that was considered, with every number on the way from the event to the ledger. */
export interface ExplainedTrigger {
  triggerId: string;
  triggerKey: string;
  systemKey: string;
  points: bigint;
  /** Null: it fired. */
  why: WhyNot | null;
  failed: { key: string; expected: string; actual: string | null } | null;
  /** Null: it has none. */
  threshold: string | null;
  /** What it counts by; null: it did not count the event. */
  counted: { before: Counter; after: Counter } | null;
  award: ExplainedAward | null;
}

export interface ExplainedAward {
  fires: bigint;
  base: bigint;
  boosts: { id: string; name: string; multiplier: string }[];
  product: string;
  rounding: Rounding | null;
  boosted: bigint;
  limit: { by: Held['by'] & string; used: bigint | null; most: bigint | null } | null;
  heldByLimit: bigint;
  room: bigint | null;
  heldByCap: bigint;
  amount: bigint;
  balanceAfter: bigint;
  version: bigint | null;
  at: number;
}

/** Reads the course of an event's decision from what was kept with it; of a refused one there is none but the refusal. */
export async function explain(
  db: Queryable,
  programs: Programs,
  projectId: string,
  event: StoredEvent,
): Promise<Explanation> {
  const { outcome } = event;
  const index = await programs.get(db, projectId, event.programVersion);
  const ticks = await ticksBefore(db, event.id);
  if (outcome.status === 'refused') {
    return { index, triggers: [], consulted: {}, zone: null, streak: null, completed: [], rewards: [], ticks };
  }
  const counter = {
    before: { total: parseDecimal(outcome.totalBefore), high: parseDecimal(outcome.highBefore) },
    after: { total: parseDecimal(outcome.totalAfter), high: parseDecimal(outcome.highAfter) },
  };
  const decision = fromRecord(outcome.decision, { programVersion: event.programVersion, counter });
  const names = await boostNames(db, index, decision);
  const context = { event, decision, names };
  const all = [...decision.fired, ...decision.notFired].map((item) => explainOne(index, item, context));
  const { consulted, zone, streak, completed, rewards } = decision;
  return { index, triggers: inOrder(index, all), consulted, zone, streak, completed, rewards, ticks };
}

/** What was due by the clock when an event came. */
async function ticksBefore(db: Queryable, eventId: string): Promise<readonly TickRun[]> {
  const record = await settlementBefore(db, eventId);
  return record === undefined ? [] : fromSettlementRecord(record).runs;
}

interface Context {
  event: StoredEvent;
  decision: Applied;
  names: ReadonlyMap<string, string>;
}

function explainOne(index: ProgramIndex, item: Fired | NotFired, context: Context): ExplainedTrigger {
  const trigger = index.triggerById.get(item.triggerId) as Trigger;
  const system = index.systemById.get(item.systemId) as System;
  const metric = trigger.type === 'metric' ? trigger : null;
  return {
    triggerId: trigger.id,
    triggerKey: trigger.key,
    systemKey: system.key,
    points: trigger.points,
    why: 'why' in item ? item.why : null,
    failed: 'why' in item && item.clause !== undefined ? failedFilter(trigger, item.why, item.clause, context) : null,
    threshold: metric && formatDecimal(metric.threshold),
    // A trigger with event filters counts in a counter of its own, and only events that match.
    counted: item.counter ?? (metric?.eventAttributes.length === 0 ? context.decision.counter : null),
    award: 'why' in item ? null : explainAward(trigger, item, context),
  };
}

function failedFilter(trigger: Trigger, why: WhyNot, key: string, { event, decision }: Context) {
  const ofEvent = why === 'event_attributes';
  const filters: readonly AttributeFilter[] =
    ofEvent && trigger.type === 'metric' ? trigger.eventAttributes : trigger.userAttributes;
  const had: Readonly<Record<string, string | null>> = ofEvent ? event.attributes : decision.consulted;
  const expected = filters.find((filter) => filter.key === key)?.value ?? '';
  return { key, expected, actual: Object.hasOwn(had, key) ? (had[key] ?? null) : null };
}

function explainAward(trigger: Trigger, fired: Fired, { event, names }: Context): ExplainedAward {
  const limit = explainLimit(trigger, fired.held);
  const left = limit === null ? fired.boosted : limit.by === 'points' ? rest(limit.most, limit.used) : 0n;
  return {
    fires: fired.fires,
    base: fired.base,
    boosts: fired.boosts.map(({ id, multiplier }) => ({
      id,
      name: names.get(id) ?? '',
      multiplier: formatDecimal(multiplier),
    })),
    product: fired.product,
    rounding: fired.boosts.length > 0 ? fired.rounding : null,
    boosted: fired.boosted,
    limit,
    heldByLimit: fired.boosted - left,
    room: fired.room,
    heldByCap: left - fired.amount,
    amount: fired.amount,
    balanceAfter: fired.balanceAfter,
    version: fired.version,
    at: fired.at ?? event.occurredAt,
  };
}

function rest(most: bigint | null, used: bigint | null): bigint {
  const left = (most ?? 0n) - (used ?? 0n);
  return left > 0n ? left : 0n;
}

/** Periods are told apart by the first letters of their slots. */
const PERIOD_SLOT = { hour: 'h:', day: 'd:', week: 'w:', month: 'm:' } as const;

function explainLimit(trigger: Trigger, held: Held | undefined): ExplainedAward['limit'] {
  if (trigger.type !== 'metric' || held === undefined || held.by === null) return null;
  const { by } = held;
  const counting = by === 'awards' || by === 'points' ? trigger.limits[by] : null;
  if (counting === null) return { by, used: null, most: null };
  const slot = [...held.usage].find(([name]) => name.startsWith(PERIOD_SLOT[counting.per]));
  return { by, used: slot?.[1][by as 'awards' | 'points'] ?? 0n, most: counting.most };
}

/** As the rules went: points systems in their order, and in each its triggers. */
function inOrder(index: ProgramIndex, all: readonly ExplainedTrigger[]): ExplainedTrigger[] {
  const order = [...index.triggerById.keys()];
  return all.toSorted((a, b) => order.indexOf(a.triggerId) - order.indexOf(b.triggerId));
}

async function boostNames(db: Queryable, index: ProgramIndex, decision: Applied): Promise<Map<string, string>> {
  const names = new Map(
    index.program.systems.flatMap(({ boosts }) => boosts.map(({ id, name }): [string, string] => [id, name])),
  );
  if (decision.userBoosts.length === 0) return names;
  const { rows } = await db.query({
    name: 'boost-names',
    text: 'select id, name from user_boosts where id = any($1::uuid[])',
    values: [decision.userBoosts.map(({ id }) => id)],
  });
  for (const row of rows) names.set(row.id, row.name);
  return names;
}
