import { formatDecimal, parseDecimal } from './decimal.ts';
import { type LimitsRecord, readLimits, writeLimits } from './limits-record.ts';
import { isLimited } from './quota.ts';
import type { Boost, CreationTrigger, Level, MetricTrigger, Program, System, Trigger } from './types.ts';

/** A program as it is stored: JSON with points and decimals as strings. */
export interface ProgramSnapshot {
  timeZone: string;
  systems: SystemSnapshot[];
}

export interface SystemSnapshot
  extends Omit<System, 'maxPoints' | 'minPoints' | 'boostCeiling' | 'triggers' | 'levels' | 'boosts'> {
  maxPoints: string | null;
  minPoints: string | null;
  boostCeiling: string | null;
  triggers: TriggerSnapshot[];
  levels: LevelSnapshot[];
  boosts: BoostSnapshot[];
}

export type TriggerSnapshot =
  | (Omit<MetricTrigger, 'threshold' | 'points' | 'limits'> & {
      threshold: string;
      points: string;
      /** Absent: none. */
      limits?: LimitsRecord;
    })
  | (Omit<CreationTrigger, 'points'> & { points: string });

export interface LevelSnapshot extends Omit<Level, 'points'> {
  points: string;
}

export interface BoostSnapshot extends Omit<Boost, 'multiplier'> {
  multiplier: string;
}

export function readProgram(version: number, snapshot: ProgramSnapshot): Program {
  return { version, timeZone: snapshot.timeZone, systems: snapshot.systems.map(readSystem) };
}

function readSystem(system: SystemSnapshot): System {
  return {
    ...system,
    maxPoints: system.maxPoints === null ? null : BigInt(system.maxPoints),
    minPoints: system.minPoints === null ? null : BigInt(system.minPoints),
    boostCeiling: system.boostCeiling === null ? null : parseDecimal(system.boostCeiling),
    triggers: system.triggers.map(readTrigger),
    levels: system.levels
      .map((level) => ({ ...level, points: BigInt(level.points) }))
      .sort((a, b) => (a.points < b.points ? -1 : a.points > b.points ? 1 : 0)),
    boosts: system.boosts.map(readBoost),
  };
}

export function readTrigger(trigger: TriggerSnapshot): Trigger {
  const points = BigInt(trigger.points);
  if (trigger.type !== 'metric') return { ...trigger, points };
  return { ...trigger, points, threshold: parseDecimal(trigger.threshold), limits: readLimits(trigger.limits ?? {}) };
}

function writeTrigger(trigger: Trigger): TriggerSnapshot {
  const points = trigger.points.toString();
  if (trigger.type !== 'metric') return { ...trigger, points };
  return { ...trigger, points, threshold: formatDecimal(trigger.threshold), limits: writeLimits(trigger.limits) };
}

export function readBoost(boost: BoostSnapshot): Boost {
  return { ...boost, multiplier: parseDecimal(boost.multiplier) };
}

export function writeProgram(program: Program): ProgramSnapshot {
  return { timeZone: program.timeZone, systems: program.systems.map(writeSystem) };
}

function writeSystem(system: System): SystemSnapshot {
  return {
    ...system,
    maxPoints: system.maxPoints?.toString() ?? null,
    minPoints: system.minPoints?.toString() ?? null,
    boostCeiling: system.boostCeiling === null ? null : formatDecimal(system.boostCeiling),
    triggers: system.triggers.map(writeTrigger),
    levels: system.levels.map((level) => ({ ...level, points: level.points.toString() })),
    boosts: system.boosts.map((boost) => ({ ...boost, multiplier: formatDecimal(boost.multiplier) })),
  };
}

/** A program with what the pipeline looks up in it by id. */
export interface ProgramIndex {
  program: Program;
  systemById: ReadonlyMap<string, System>;
  systemByKey: ReadonlyMap<string, System>;
  /** By metric id: the systems that have a trigger on it, and its triggers that count for themselves. */
  byMetric: ReadonlyMap<string, MetricIndex>;
  triggerById: ReadonlyMap<string, Trigger>;
  /** Systems that give or take something when a user becomes known. */
  creationSystemIds: readonly string[];
}

export interface MetricIndex {
  systemIds: readonly string[];
  countingTriggerIds: readonly string[];
  limited: readonly MetricTrigger[];
}

export function indexProgram(program: Program): ProgramIndex {
  const byMetric = new Map<string, { systemIds: string[]; countingTriggerIds: string[]; limited: MetricTrigger[] }>();
  const creationSystemIds = new Set<string>();
  for (const system of program.systems) {
    for (const trigger of system.triggers) {
      if (trigger.type !== 'metric') {
        creationSystemIds.add(system.id);
        continue;
      }
      const entry = byMetric.get(trigger.metricId) ?? { systemIds: [], countingTriggerIds: [], limited: [] };
      if (!entry.systemIds.includes(system.id)) entry.systemIds.push(system.id);
      if (trigger.eventAttributes.length > 0) entry.countingTriggerIds.push(trigger.id);
      if (isLimited(trigger.limits)) entry.limited.push(trigger);
      byMetric.set(trigger.metricId, entry);
    }
  }
  return {
    program,
    systemById: new Map(program.systems.map((system) => [system.id, system])),
    systemByKey: new Map(program.systems.map((system) => [system.key, system])),
    byMetric,
    triggerById: new Map(program.systems.flatMap((system) => system.triggers.map((trigger) => [trigger.id, trigger]))),
    creationSystemIds: [...creationSystemIds],
  };
}
