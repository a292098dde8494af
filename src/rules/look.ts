import { DECIMAL_LIMIT, floorDivide } from './decimal.ts';
import { firstMismatch } from './filter.ts';
import type {
  Counter,
  Instant,
  MetricEvent,
  MetricTrigger,
  NotFired,
  System,
  Trigger,
  UserBoost,
  UserState,
} from './types.ts';

export const EMPTY_COUNTER: Counter = { total: 0n, high: 0n };

/** What is decided: an event with its metric before and after, or without a metric something else about the user. */
export interface Occasion extends Omit<MetricEvent, 'metricId'> {
  metricId: string | null;
  counter: CounterChange;
}

/** Null when the total leaves its range. */
export function advance(counter: Counter, value: bigint): Counter | null {
  const total = counter.total + value;
  if (total >= DECIMAL_LIMIT || total <= -DECIMAL_LIMIT) return null;
  return { total, high: total > counter.high ? total : counter.high };
}

/** What of the user the rules looked at, so that the decision can be made again without the rest. */
export interface Asked {
  keys: Set<string>;
  zone: string | null;
  boosts: UserBoost[];
  created: Instant | null;
}

export interface CounterChange {
  before: Counter;
  after: Counter;
}

export type Looked =
  | { notFired: NotFired }
  | { fires: bigint; at: Instant; notFired?: undefined; counter: CounterChange | undefined };

/** Whether a trigger fires, and how often; triggers that this is not about are passed over. */
export function lookAt(
  system: System,
  trigger: Trigger,
  state: UserState,
  event: Occasion,
  asked: Asked,
): Looked | 'passed over' | 'out of range' {
  const base = { triggerId: trigger.id, systemId: system.id };
  if (trigger.type === 'user_creation') {
    if (event.created === undefined) return 'passed over';
    asked.created = event.created;
    const why = whyNot(trigger, state, asked);
    if (why !== undefined) return { notFired: { ...base, ...why } };
    return { fires: 1n, at: event.created, counter: undefined };
  }
  if (trigger.metricId !== event.metricId) return 'passed over';
  const eventClause = firstMismatch(trigger.eventAttributes, event.attributes);
  if (eventClause !== undefined) {
    return { notFired: { ...base, why: 'event_attributes', clause: eventClause } };
  }
  const own = trigger.eventAttributes.length > 0 ? ownCounter(trigger, state, event) : undefined;
  if (own === null) return 'out of range';
  const withCounter = own === undefined ? base : { ...base, counter: own };
  const why = whyNot(trigger, state, asked);
  if (why !== undefined) return { notFired: { ...withCounter, ...why } };
  const { before, after } = own ?? event.counter;
  const fires = floorDivide(after.high, trigger.threshold) - floorDivide(before.high, trigger.threshold);
  if (fires === 0n) return { notFired: { ...withCounter, why: 'below_threshold' } };
  return { fires, at: event.at, counter: own };
}

/** What holds for triggers of every type: they must be active, and the user must match. */
function whyNot(trigger: Trigger, state: UserState, asked: Asked): Pick<NotFired, 'why' | 'clause'> | undefined {
  if (!trigger.active) return { why: 'inactive' };
  for (const filter of trigger.userAttributes) asked.keys.add(filter.key);
  const clause = firstMismatch(trigger.userAttributes, state.attributes);
  return clause === undefined ? undefined : { why: 'user_attributes', clause };
}

function ownCounter(trigger: MetricTrigger, state: UserState, event: Occasion): CounterChange | null {
  const before = state.triggerCounters.get(trigger.id) ?? EMPTY_COUNTER;
  const after = advance(before, event.value);
  return after === null ? null : { before, after };
}
