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

/** `points` at each tick of a clock of the user's own. */
export interface TimeTrigger extends TriggerBase {
  type: 'time';
  /** Milliseconds from one tick to the next. */
  every: number;
  /** `always`: ticks lie on a grid; `below_cap`: the clock runs only while the balance is below the cap. */
  runs: 'always' | 'below_cap';
  /** When it was last activated, or got this interval: the grid begins there, or with a later user. */
  since: Instant;
}

/** `points` for every `length` periods that a streak grows by. */
export interface StreakTrigger extends TriggerBase {
  type: 'streak';
  length: number;
}

/** `points` once, when the user completes an achievement. */
export interface AchievementTrigger extends TriggerBase {
  type: 'achievement';
  achievementId: string;
  achievementKey: string;
}

export type Trigger = MetricTrigger | CreationTrigger | TimeTrigger | StreakTrigger | AchievementTrigger;

export type Frequency = 'daily' | 'weekly' | 'monthly';

/** What keeps a streak going: in each period an event of positive value. */
export interface StreakRule {
  frequency: Frequency;
  /** Metrics whose events count; none: of any metric. */
  metrics: readonly { id: string; key: string }[];
}

/** Periods one after the other, by their numbers (`periodOf`), both ends included. */
export interface StreakRun {
  first: number;
  last: number;
}

/** What an event that keeps a streak going did to it. */
export interface StreakChange {
  /** Number of the event's period. */
  period: number;
  /** The runs that the event's period was part of or joined, at most two. */
  before: readonly StreakRun[];
  after: StreakRun;
}

/** Something that a user completes once. */
export interface Achievement {
  id: string;
  key: string;
  name: string;
  description: string;
  /** URL of a picture; absent: none. */
  badgeUrl?: string;
  active: boolean;
  userAttributes: readonly AttributeFilter[];
  /** `api`: when the app says so; `metric`: when the highest running total reaches `total`; `streak`: when a streak does. */
  rule:
    | { type: 'api' }
    | { type: 'metric'; metricId: string; metricKey: string; total: Decimal }
    | { type: 'streak'; length: number };
}

export interface Completion {
  achievementId: string;
  /** The user had what it takes before this event: the achievement is completed, and pays nothing. */
  backdated: boolean;
}

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
  /** URL of a picture; absent: none. */
  badgeUrl?: string;
  points: bigint;
  /** Given to a user who reaches the level for the first time; points are positive. */
  rewards: readonly LevelReward[];
}

export interface LevelReward {
  systemId: string;
  systemKey: string;
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
  /** URL of a picture; absent: none. */
  badgeUrl?: string;
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
  /** Null: the project counts no streaks. */
  streak: StreakRule | null;
  achievements: readonly Achievement[];
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
  /** The streak's runs that the event's period may be part of or join. */
  runs: readonly StreakRun[];
  /** Ids of achievements that the user has completed. */
  completed: ReadonlySet<string>;
  /** Levels that have rewarded the user, as `levelName` writes them. */
  rewarded: ReadonlySet<string>;
}
