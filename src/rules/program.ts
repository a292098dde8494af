import { formatDecimal, parseDecimal } from './decimal.ts';
import type { Boost, Level, Program, System, Trigger } from './types.ts';

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

export interface TriggerSnapshot extends Omit<Trigger, 'threshold' | 'points'> {
  threshold: string;
  points: string;
}

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
    triggers: system.triggers.map((trigger) => ({
      ...trigger,
      threshold: parseDecimal(trigger.threshold),
      points: BigInt(trigger.points),
    })),
    levels: system.levels
      .map((level) => ({ ...level, points: BigInt(level.points) }))
      .sort((a, b) => (a.points < b.points ? -1 : a.points > b.points ? 1 : 0)),
    boosts: system.boosts.map(readBoost),
  };
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
    triggers: system.triggers.map((trigger) => ({
      ...trigger,
      threshold: formatDecimal(trigger.threshold),
      points: trigger.points.toString(),
    })),
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
  byMetric: ReadonlyMap<string, { systemIds: readonly string[]; countingTriggerIds: readonly string[] }>;
}

export function indexProgram(program: Program): ProgramIndex {
  const byMetric = new Map<string, { systemIds: string[]; countingTriggerIds: string[] }>();
  for (const system of program.systems) {
    for (const trigger of system.triggers) {
      const entry = byMetric.get(trigger.metricId) ?? { systemIds: [], countingTriggerIds: [] };
      if (!entry.systemIds.includes(system.id)) entry.systemIds.push(system.id);
      if (trigger.eventAttributes.length > 0) entry.countingTriggerIds.push(trigger.id);
      byMetric.set(trigger.metricId, entry);
    }
  }
  return {
    program,
    systemById: new Map(program.systems.map((system) => [system.id, system])),
    systemByKey: new Map(program.systems.map((system) => [system.key, system])),
    byMetric,
  };
}
