import type { LevelBasis, OnFloor } from '../rules/types.ts';

/**
 * All that a product team decides about a project, but for its boosts: the content of an economy file, with every
 * default written out and every number as a decimal string. Lists are in the order of the file.
 */
export interface Economy {
  timeZone: string;
  keylessEvents: 'mark' | 'warn' | 'refuse';
  metrics: readonly Named[];
  userAttributes: readonly Named[];
  eventAttributes: readonly Named[];
  systems: readonly EconomySystem[];
}

export interface Named {
  key: string;
  name: string;
}

export interface EconomySystem extends Named {
  description: string;
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
  points: string;
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

export type EconomyTrigger = EconomyMetricTrigger | EconomyCreationTrigger;

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
  systems: [],
};
