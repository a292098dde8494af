import { formatDecimal, parseDecimal } from './decimal.ts';
import { type LimitsRecord, readLimits, writeLimits } from './limits-record.ts';
import { isLimited } from './quota.ts';
import type {
  Achievement,
  AchievementTrigger,
  Boost,
  CreationTrigger,
  Level,
  LevelReward,
  MetricTrigger,
  Program,
  StreakRule,
  StreakTrigger,
  System,
  TimeTrigger,
  Trigger,
} from './types.ts';

/** A program as it is stored: JSON with points and decimals as strings. */
export interface ProgramSnapshot {
  timeZone: string;
  systems: SystemSnapshot[];
  /** Absent: none are counted. */
  streak?: StreakRule;
  /** Absent: there are none. */
  achievements?: AchievementSnapshot[];
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
  | (Omit<CreationTrigger, 'points'> & { points: string })
  | (Omit<TimeTrigger, 'points'> & { points: string })
  | (Omit<StreakTrigger, 'points'> & { points: string })
  | (Omit<AchievementTrigger, 'points'> & { points: string });

export interface LevelSnapshot extends Omit<Level, 'points' | 'rewards'> {
  points: string;
  /** Absent: none. */
  rewards?: (Omit<LevelReward, 'points'> & { points: string })[];
}

export interface AchievementSnapshot extends Omit<Achievement, 'rule'> {
  rule:
    | Exclude<Achievement['rule'], { type: 'metric' }>
    | (Omit<Extract<Achievement['rule'], { type: 'metric' }>, 'total'> & { total: string });
}

export interface BoostSnapshot extends Omit<Boost, 'multiplier'> {
  multiplier: string;
}

export function readProgram(version: number, snapshot: ProgramSnapshot): Program {
  return {
    version,
    timeZone: snapshot.timeZone,
    systems: snapshot.systems.map(readSystem),
    streak: snapshot.streak ?? null,
    achievements: (snapshot.achievements ?? []).map(({ rule, ...achievement }) => ({
      ...achievement,
      rule: rule.type === 'metric' ? { ...rule, total: parseDecimal(rule.total) } : rule,
    })),
  };
}

function readSystem(system: SystemSnapshot): System {
  return {
    ...system,
    maxPoints: system.maxPoints === null ? null : BigInt(system.maxPoints),
    minPoints: system.minPoints === null ? null : BigInt(system.minPoints),
    boostCeiling: system.boostCeiling === null ? null : parseDecimal(system.boostCeiling),
    triggers: system.triggers.map(readTrigger),
    levels: system.levels
      .map(({ rewards = [], points, ...level }) => ({
        ...level,
        points: BigInt(points),
        rewards: rewards.map((reward) => ({ ...reward, points: BigInt(reward.points) })),
      }))
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
  const { timeZone, systems, streak, achievements } = program;
  return {
    timeZone,
    systems: systems.map(writeSystem),
    ...(streak !== null && { streak }),
    ...(achievements.length > 0 && {
      achievements: achievements.map(({ rule, ...achievement }) => ({
        ...achievement,
        rule: rule.type === 'metric' ? { ...rule, total: formatDecimal(rule.total) } : rule,
      })),
    }),
  };
}

function writeSystem(system: System): SystemSnapshot {
  return {
    ...system,
    maxPoints: system.maxPoints?.toString() ?? null,
    minPoints: system.minPoints?.toString() ?? null,
    boostCeiling: system.boostCeiling === null ? null : formatDecimal(system.boostCeiling),
    triggers: system.triggers.map(writeTrigger),
    levels: system.levels.map(({ rewards, points, ...level }) => ({
      ...level,
      points: points.toString(),
      ...(rewards.length > 0 && { rewards: rewards.map((item) => ({ ...item, points: item.points.toString() })) }),
    })),
    boosts: system.boosts.map((boost) => ({ ...boost, multiplier: formatDecimal(boost.multiplier) })),
  };
}

/** A program with what the pipeline looks up in it by id. */
export interface ProgramIndex {
  program: Program;
  systemById: ReadonlyMap<string, System>;
  systemByKey: ReadonlyMap<string, System>;
  triggerById: ReadonlyMap<string, Trigger>;
  achievementById: ReadonlyMap<string, Achievement>;
  /** What an event of a metric may touch. */
  touchedBy(metricId: string): Touched;
  /** Systems that may change when a user becomes known. */
  creationSystemIds: readonly string[];
  /** Systems that may change when the user completes the achievement. */
  systemsOfAchievement(achievementId: string): readonly string[];
  /** Systems with active triggers that the clock fires. */
  timedSystemIds: readonly string[];
  /** The system and those that its levels, and theirs in turn, give rewards in. */
  withRewards(systemIds: Iterable<string>): readonly string[];
  /** Whether any level gives rewards. */
  rewards: boolean;
}

export interface Touched {
  systemIds: readonly string[];
  countingTriggerIds: readonly string[];
  limited: readonly MetricTrigger[];
  /** Whether its events keep streaks going. */
  streak: boolean;
  /** Whether its events may complete achievements. */
  achievements: boolean;
}

export function indexProgram(program: Program): ProgramIndex {
  const systemById = new Map(program.systems.map((system) => [system.id, system]));
  const triggers = program.systems.flatMap((system) => system.triggers.map((trigger) => ({ system, trigger })));
  const systemsWhere = (holds: (trigger: Trigger) => boolean): string[] => [
    ...new Set(triggers.filter(({ trigger }) => holds(trigger)).map(({ system }) => system.id)),
  ];
  const withRewards = (systemIds: Iterable<string>): readonly string[] => {
    const reached = new Set(systemIds);
    for (const id of reached) {
      for (const level of systemById.get(id)?.levels ?? [])
        for (const { systemId } of level.rewards) reached.add(systemId);
    }
    return [...reached];
  };
  const systemsOfAchievement = (id: string) =>
    withRewards(systemsWhere((trigger) => trigger.type === 'achievement' && trigger.achievementId === id));
  const touchedBy = remembered((metricId) => touched(program, metricId, { systemsWhere, withRewards }));
  return {
    program,
    systemById,
    systemByKey: new Map(program.systems.map((system) => [system.key, system])),
    triggerById: new Map(triggers.map(({ trigger }) => [trigger.id, trigger])),
    achievementById: new Map(program.achievements.map((achievement) => [achievement.id, achievement])),
    touchedBy,
    creationSystemIds: withRewards(systemsWhere((trigger) => trigger.type === 'user_creation')),
    systemsOfAchievement: remembered(systemsOfAchievement),
    timedSystemIds: systemsWhere((trigger) => trigger.type === 'time' && trigger.active),
    withRewards,
    rewards: program.systems.some(({ levels }) => levels.some(({ rewards }) => rewards.length > 0)),
  };
}

interface Lookups {
  systemsWhere(holds: (trigger: Trigger) => boolean): string[];
  withRewards(systemIds: Iterable<string>): readonly string[];
}

function touched(program: Program, metricId: string, { systemsWhere, withRewards }: Lookups): Touched {
  const streak = countsForStreak(program, metricId);
  const completes = program.achievements.filter(
    ({ rule }) => (rule.type === 'metric' && rule.metricId === metricId) || (rule.type === 'streak' && streak),
  );
  const own = program.systems
    .flatMap(({ triggers }) => triggers)
    .filter((trigger): trigger is MetricTrigger => trigger.type === 'metric' && trigger.metricId === metricId);
  const systemIds = systemsWhere(
    (trigger) =>
      (trigger.type === 'metric' && trigger.metricId === metricId) ||
      (trigger.type === 'streak' && streak) ||
      (trigger.type === 'achievement' && completes.some(({ id }) => id === trigger.achievementId)),
  );
  return {
    systemIds: withRewards(systemIds),
    countingTriggerIds: own.filter(({ eventAttributes }) => eventAttributes.length > 0).map(({ id }) => id),
    limited: own.filter(({ limits }) => isLimited(limits)),
    streak,
    achievements: completes.length > 0,
  };
}

/** Whether events of a metric keep streaks going. */
export function countsForStreak({ streak }: Program, metricId: string): boolean {
  return streak !== null && (streak.metrics.length === 0 || streak.metrics.some(({ id }) => id === metricId));
}

/** A program never changes, so what was found once stays true. */
function remembered<T>(find: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>();
  return (id) => {
    let found = known.get(id);
    if (found === undefined) {
      found = find(id);
      known.set(id, found);
    }
    return found;
  };
}
