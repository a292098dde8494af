import type { Frequency, LevelBasis, OnFloor } from '../rules/types.ts';

/**
 * All that a product team decides about a project, but for its boosts: the content of an economy file, with every
 * default written out and every number as a decimal string. Lists are in the order of the file.
 */
export interface Economy {
  timeZone: string;
  keylessEvents: 'mark' | 'warn' | 'refuse';
  metrics: readonly EconomyMetric[];
  userAttributes: readonly Named[];
  eventAttributes: readonly Named[];
  /** Null: the project counts no streaks. */
  streak: EconomyStreak | null;
  achievements: readonly EconomyAchievement[];
  systems: readonly EconomySystem[];
}

export interface EconomyStreak {
  frequency: Frequency;
  /** Keys of the metrics whose events count; none: of any. */
  metrics: readonly string[];
}

interface EconomyAchievementBase extends Named {
  description: string;
  /** URL of a picture; empty: none. */
  badgeUrl: string;
  status: 'active' | 'inactive';
  userAttributes: Readonly<Record<string, string>>;
}

/** Stable by its key, like a trigger. */
export type EconomyAchievement = EconomyAchievementBase &
  (
    | { type: 'api' }
    | { type: 'metric'; metric: string; total: string }
    /** Periods of the project's streak. */
    | { type: 'streak'; length: string }
  );

export interface Named {
  key: string;
  name: string;
}

export interface EconomyMetric extends Named {
  unitType: UnitType;
  /** Of a currency its code; else a label; empty: nothing is said. */
  units: string;
}

/** What the values of a metric are. */
export type UnitType = 'number' | 'currency';

export interface EconomySystem extends Named {
  description: string;
  /** URL of a picture; empty: none. */
  badgeUrl: string;
  maxPoints: string | null;
  minPoints: string | null;
  levelBasis: LevelBasis;
  boostCeiling: string | null;
  levels: readonly EconomyLevel[];
  /** In the order in which they are evaluated. */
  triggers: readonly EconomyTrigger[];
}

export interface EconomyLevel extends Named {
  description: string;
  /** URL of a picture; empty: none. */
  badgeUrl: string;
  points: string;
  /** Points by key of the points system, for reaching the level for the first time. */
  rewards: Readonly<Record<string, string>>;
}

interface EconomyTriggerBase {
  /** Stable within its points system; the trigger keeps its id and its counters as long as it keeps this. */
  key: string;
  status: 'active' | 'inactive';
  points: string;
  userAttributes: Readonly<Record<string, string>>;
  onFloor: OnFloor;
}

export interface EconomyMetricTrigger extends EconomyTriggerBase {
  type: 'metric';
  metric: string;
  threshold: string;
  eventAttributes: Readonly<Record<string, string>>;
  /** As `LimitsRecord`. */
  limits: Readonly<Record<string, string>>;
}

export interface EconomyCreationTrigger extends EconomyTriggerBase {
  type: 'user_creation';
}

export interface EconomyTimeTrigger extends EconomyTriggerBase {
  type: 'time';
  /** From one tick to the next: whole hours or days of 24 hours, such as `3h` or `1d`. */
  every: string;
  runs: 'always' | 'below_cap';
}

export interface EconomyStreakTrigger extends EconomyTriggerBase {
  type: 'streak';
  /** Periods of the project's streak. */
  length: string;
}

export interface EconomyAchievementTrigger extends EconomyTriggerBase {
  type: 'achievement';
  achievement: string;
}

export type EconomyTrigger =
  | EconomyMetricTrigger
  | EconomyCreationTrigger
  | EconomyTimeTrigger
  | EconomyStreakTrigger
  | EconomyAchievementTrigger;

/** What is wrong with an economy: where, and what would be right. */
export interface Problem {
  path: string;
  message: string;
}

export const EMPTY_ECONOMY: Economy = {
  timeZone: 'UTC',
  keylessEvents: 'mark',
  metrics: [],
  userAttributes: [],
  eventAttributes: [],
  streak: null,
  achievements: [],
  systems: [],
};
