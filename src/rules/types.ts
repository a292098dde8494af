import type { Decimal } from './decimal.ts';

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number;

/** No balance and no sum of earned points leaves ±(2^53 − 1), so that every client can hold it. */
export const POINTS_LIMIT = 9_007_199_254_740_991n;

export type Attributes = Readonly<Record<string, string>>;

export interface AttributeFilter {
  key: string;
  value: string;
}

export type OnFloor = 'refuse' | 'clamp' | 'allow';
export type Rounding = 'down' | 'up' | 'nearest';
export type LevelBasis = 'balance' | 'earned';

interface TriggerBase {
  id: string;
  /** Stable name within its points system, chosen by people. */
  key: string;
  active: boolean;
  /** Never 0; negative deducts. */
  points: bigint;
  userAttributes: readonly AttributeFilter[];
  onFloor: OnFloor;
}

/** `points` for each `threshold` that the highest running total of a metric passes. */
export interface MetricTrigger extends TriggerBase {
  type: 'metric';
  metricId: string;
  metricKey: string;
  threshold: Decimal;
  /** Not empty: the trigger counts only matching events, in a counter of its own. */
  eventAttributes: readonly AttributeFilter[];
  limits: Limits;
}

/** `points` once, when the user becomes known. */
export interface CreationTrigger extends TriggerBase {
  type: 'user_creation';
}

export type Trigger = MetricTrigger | CreationTrigger;

export type Period = 'hour' | 'day' | 'week' | 'month';

/** How often, and for what, a trigger may pay a user; null: as often as it fires. */
export interface Limits {
  /** At most so many awards a period. */
  awards: { most: bigint; per: Period } | null;
  /** At most so many points a period. */
  points: { most: bigint; per: Period } | null;
  /** Milliseconds from one award to the next. */
  cooldown: number | null;
  /** An event attribute: one award for each of its values. */
  oncePer: string | null;
}

/** What a trigger has paid a user in one slot: a period, a stretch of a cooldown, or for a value of an attribute. */
export interface Usage {
  awards: bigint;
  points: bigint;
  /** Of the last award there. */
  at: Instant | null;
}

export interface Level {
  key: string;
  name: string;
  description: string;
  points: bigint;
}

/** Two instants, the end exclusive and perhaps open. */
export interface InstantWindow {
  kind: 'instants';
  startTime: Instant;
  endTime: Instant | null;
}

/** Whole days `YYYY-MM-DD`, the end inclusive and perhaps open, in the user's or the project's zone. */
export interface DateWindow {
  kind: 'dates';
  start: string;
  end: string | null;
  zone: 'user' | 'project';
}

export interface Boost {
  id: string;
  name: string;
  multiplier: Decimal;
  rounding: Rounding;
  exclusive: boolean;
  userAttributes: readonly AttributeFilter[];
  window: InstantWindow | DateWindow;
}

export interface System {
  id: string;
  key: string;
  name: string;
  description: string;
  maxPoints: bigint | null;
  minPoints: bigint | null;
  levelBasis: LevelBasis;
  boostCeiling: Decimal | null;
  /** In order of evaluation, inactive ones included. */
  triggers: readonly Trigger[];
  /** Ascending by points. */
  levels: readonly Level[];
  /** Boosts for all users that match; boosts of one user are part of the user's state. */
  boosts: readonly Boost[];
}

/** An immutable numbered snapshot of what a project's rules are. */
export interface Program {
  version: number;
  timeZone: string;
  systems: readonly System[];
}

/** From `from` on the user's zone was `zone`; the first one also covers all time before. */
export interface ZonePeriod {
  from: Instant;
  zone: string;
}

export interface UserBoost extends Boost {
  systemId: string;
}

/** Running total and the highest it has ever been, never below 0. */
export interface Counter {
  total: Decimal;
  high: Decimal;
}

/** Balance, all points ever earned, and the number of ledger entries behind them. */
export interface Account {
  balance: bigint;
  earned: bigint;
  version: bigint;
}

export interface MetricEvent {
  metricId: string;
  value: Decimal;
  attributes: Attributes;
  /** The instant everything is judged at. */
  at: Instant;
  /** The instant of the user's creation, where the user becomes known by this event. */
  created?: Instant;
}

/** What a decision may look at, and all that it may look at. */
export interface UserState {
  attributes: Attributes;
  zones: readonly ZonePeriod[];
  boosts: readonly UserBoost[];
  /** Of the event's metric. */
  counter: Counter;
  /** By trigger id, for triggers with event filters; missing: nothing counted yet. */
  triggerCounters: ReadonlyMap<string, Counter>;
  /** By trigger id and slot, as `usageKey` writes them; missing: nothing was paid there. */
  usage: ReadonlyMap<string, Usage>;
  /** By system id; missing: nothing posted yet. */
  accounts: ReadonlyMap<string, Account>;
}

export type WhyNot = 'inactive' | 'event_attributes' | 'user_attributes' | 'below_threshold';

export interface AppliedBoost {
  id: string;
  multiplier: Decimal;
}

/** A trigger that did not fire: why, and the filter key that failed or the counter that fell short. */
export interface NotFired {
  triggerId: string;
  systemId: string;
  why: WhyNot;
  clause?: string;
  counter?: { before: Counter; after: Counter };
}

/** What a limit kept an award from being, and what had been paid before it in the slots that it counts in. */
export interface Held {
  /** The limit that held something back; null: none did. */
  by: 'awards' | 'points' | 'cooldown' | 'once' | null;
  /** By slot, of all slots that were looked at. */
  usage: ReadonlyMap<string, Usage>;
}

/** A trigger that fired, from its points to the change of the balance. */
export interface Fired {
  triggerId: string;
  systemId: string;
  fires: bigint;
  /** fires × points. */
  base: bigint;
  boosts: readonly AppliedBoost[];
  /** The product of the boosts as a decimal string, after exclusivity and ceiling; '1' without boosts. */
  product: string;
  rounding: Rounding;
  /** base × product, rounded. */
  boosted: bigint;
  /** Points that cap or floor left room for; null: no limit was in question. */
  room: bigint | null;
  /** What is posted, 0 when everything was withheld. */
  amount: bigint;
  withheld: bigint;
  balanceAfter: bigint;
  /** Of the ledger entry; null when `amount` is 0, since there is none then. */
  version: bigint | null;
  counter?: { before: Counter; after: Counter };
  /** Of a trigger with limits. */
  held?: Held;
  /** The instant that this award is judged at, where it is not the event's. */
  at?: Instant;
}

export interface SystemChange {
  systemId: string;
  before: Account;
  after: Account;
  /** Level keys; null: below every level. */
  levelBefore: string | null;
  levelAfter: string | null;
}

export interface Applied {
  outcome: 'applied';
  programVersion: number;
  counter: { before: Counter; after: Counter };
  fired: readonly Fired[];
  notFired: readonly NotFired[];
  /** Systems in which at least one trigger fired. */
  systems: readonly SystemChange[];
  /** User attributes that filters asked for; null: the user has none of that name. */
  consulted: Readonly<Record<string, string | null>>;
  /** The user's own boosts that applied, so that the decision can be made again when they have changed. */
  userBoosts: readonly UserBoost[];
  /** The zone that days were read in; null: none was needed. */
  zone: string | null;
  /** The instant of the user's creation, where a trigger asked for it. */
  created: Instant | null;
}

export type RefusalCode =
  | 'OUT_OF_POINTS'
  | 'ABOVE_CAP'
  | 'TOTAL_OUT_OF_RANGE'
  | 'BALANCE_OUT_OF_RANGE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'POINTS_SYSTEM_UNKNOWN'
  | 'USER_EXISTS'
  | 'USER_UNKNOWN'
  | 'IMPORT_DIFFERS';

/** A result, not an exception: nothing changes. `detail` holds codes and numbers for the message. */
export interface Refused {
  outcome: 'refused';
  code: RefusalCode;
  programVersion: number;
  detail: Readonly<Record<string, string>>;
}

export type Decision = Applied | Refused;
