import { DECIMAL_LIMIT, floorDivide } from './decimal.ts';
import type { NotFired, WhyNot } from './decision.ts';
import { firstMismatch } from './filter.ts';
import { isExtended, multiplesPassed } from './streak.ts';
import type {
  AchievementTrigger,
  Completion,
  Counter,
  Instant,
  MetricEvent,
  MetricTrigger,
  StreakChange,
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
  /** Null: nothing that streaks count. */
  streak: StreakChange | null;
  completed: readonly Completion[];
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
  if (!concerns(trigger, event)) return 'passed over';
  const base = { triggerId: trigger.id, systemId: system.id };
  if (trigger.type === 'metric') return lookAtMetric(base, trigger, state, event, asked);
  const at = trigger.type === 'user_creation' ? (event.created as Instant) : event.at;
  if (trigger.type === 'user_creation') asked.created = at;
  const why = whyNot(trigger, state, asked);
  if (why !== undefined) return { notFired: { ...base, ...why } };
  const fires = firesOf(trigger, event);
  return typeof fires === 'bigint' ? { fires, at, counter: undefined } : { notFired: { ...base, why: fires } };
}

/** Whether the trigger is about anything that happened. */
function concerns(trigger: Trigger, event: Occasion): boolean {
  switch (trigger.type) {
    case 'metric':
      return trigger.metricId === event.metricId;
    case 'user_creation':
      return event.created !== undefined;
    case 'streak':
      return event.streak !== null && isExtended(event.streak);
    case 'achievement':
      return completionIn(event, trigger) !== undefined;
    case 'time':
      return false;
  }
}

/** How often a trigger fires that something is about, or why it does not. */
function firesOf(trigger: Exclude<Trigger, MetricTrigger>, event: Occasion): bigint | WhyNot {
  if (trigger.type === 'streak') {
    const fires = multiplesPassed(event.streak as StreakChange, trigger.length);
    return fires > 0n ? fires : 'streak_too_short';
  }
  return trigger.type === 'achievement' && completionIn(event, trigger)?.backdated ? 'backdated' : 1n;
}

function completionIn(event: Occasion, { achievementId }: AchievementTrigger): Completion | undefined {
  return event.completed.find((completion) => completion.achievementId === achievementId);
}

function lookAtMetric(
  base: { triggerId: string; systemId: string },
  trigger: MetricTrigger,
  state: UserState,
  event: Occasion,
  asked: Asked,
): Looked | 'out of range' {
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
