import { readDuration } from '../rules/limits-record.ts';
import type {
  AchievementSnapshot,
  BoostSnapshot,
  LevelSnapshot,
  ProgramSnapshot,
  SystemSnapshot,
  TriggerSnapshot,
} from '../rules/program.ts';
import type { AttributeFilter, Instant } from '../rules/types.ts';
import type { Economy, EconomyAchievement, EconomySystem, EconomyTrigger } from './economy.ts';

/** What the database and the program in force have given ids to. */
export interface Ids {
  metrics: ReadonlyMap<string, string>;
  systems: ReadonlyMap<string, string>;
  /** The boosts of all users, by id of the points system. */
  boosts: ReadonlyMap<string, BoostSnapshot[]>;
}

/** When a change is made, and what ids are made of. */
export interface Occasion {
  now: Instant;
  uuid: () => string;
}

/**
 * The economy as the snapshot of a program. What keeps its key keeps its id: triggers their counters, achievements their
 * completions, points systems their boosts and accounts.
 */
export function resolve(economy: Economy, ids: Ids, current: ProgramSnapshot, occasion: Occasion): ProgramSnapshot {
  const achievements = economy.achievements.map((achievement) => {
    const was = current.achievements?.find(({ key }) => key === achievement.key);
    return achievementSnapshot(achievement, was?.id ?? occasion.uuid(), ids);
  });
  const all = { ...ids, achievements: new Map(achievements.map(({ key, id }) => [key, id])) };
  return {
    timeZone: economy.timeZone,
    systems: economy.systems.map((system) => {
      const was = current.systems.find((item) => item.key === system.key);
      return systemSnapshot(system, all, was, occasion);
    }),
    ...(economy.streak !== null && {
      streak: {
        frequency: economy.streak.frequency,
        metrics: economy.streak.metrics.map((key) => ({ id: idOf(ids.metrics, key), key })),
      },
    }),
    ...(achievements.length > 0 && { achievements }),
  };
}

type AllIds = Ids & { achievements: ReadonlyMap<string, string> };

function achievementSnapshot(achievement: EconomyAchievement, id: string, ids: Ids): AchievementSnapshot {
  return {
    id,
    key: achievement.key,
    name: achievement.name,
    description: achievement.description,
    ...picture(achievement),
    active: achievement.status === 'active',
    userAttributes: filtersOf(achievement.userAttributes),
    rule: achievementRule(achievement, ids),
  };
}

function achievementRule(achievement: EconomyAchievement, ids: Ids): AchievementSnapshot['rule'] {
  switch (achievement.type) {
    case 'api':
      return { type: 'api' };
    case 'metric':
      return {
        type: 'metric',
        metricId: idOf(ids.metrics, achievement.metric),
        metricKey: achievement.metric,
        total: achievement.total,
      };
    case 'streak':
      return { type: 'streak', length: Number(achievement.length) };
  }
}

/** Snapshots of what has no picture say nothing of one. */
function picture({ badgeUrl }: { badgeUrl: string }): { badgeUrl?: string } {
  return badgeUrl === '' ? {} : { badgeUrl };
}

function systemSnapshot(
  { badgeUrl, ...system }: EconomySystem,
  ids: AllIds,
  was: SystemSnapshot | undefined,
  occasion: Occasion,
): SystemSnapshot {
  const id = idOf(ids.systems, system.key);
  return {
    ...system,
    id,
    ...picture({ badgeUrl }),
    levels: system.levels.map(({ rewards, badgeUrl, ...level }) => ({
      ...level,
      ...picture({ badgeUrl }),
      ...(Object.keys(rewards).length > 0 && { rewards: rewardsOf(rewards, ids) }),
    })),
    triggers: system.triggers.map((trigger) =>
      triggerSnapshot(
        trigger,
        ids,
        was?.triggers.find((item) => item.key === trigger.key),
        occasion,
      ),
    ),
    boosts: ids.boosts.get(id) ?? [],
  };
}

function rewardsOf(rewards: Readonly<Record<string, string>>, ids: Ids): NonNullable<LevelSnapshot['rewards']> {
  return Object.entries(rewards)
    .map(([key, points]) => ({ systemId: idOf(ids.systems, key), systemKey: key, points }))
    .sort((a, b) => (a.systemKey < b.systemKey ? -1 : 1));
}

function triggerSnapshot(
  trigger: EconomyTrigger,
  ids: AllIds,
  was: TriggerSnapshot | undefined,
  { now, uuid }: Occasion,
): TriggerSnapshot {
  const base = {
    id: was?.id ?? uuid(),
    key: trigger.key,
    active: trigger.status === 'active',
    points: trigger.points,
    userAttributes: filtersOf(trigger.userAttributes),
    onFloor: trigger.onFloor,
  };
  switch (trigger.type) {
    case 'metric':
      return {
        ...base,
        type: 'metric',
        metricId: idOf(ids.metrics, trigger.metric),
        metricKey: trigger.metric,
        threshold: trigger.threshold,
        eventAttributes: filtersOf(trigger.eventAttributes),
        limits: trigger.limits,
      };
    case 'user_creation':
      return { ...base, type: 'user_creation' };
    case 'time': {
      const every = readDuration(trigger.every);
      return { ...base, type: 'time', every, runs: trigger.runs, since: beginning({ every, ...base }, was, now) };
    }
    case 'streak':
      return { ...base, type: 'streak', length: Number(trigger.length) };
    case 'achievement':
      return {
        ...base,
        type: 'achievement',
        achievementId: idOf(ids.achievements, trigger.achievement),
        achievementKey: trigger.achievement,
      };
  }
}

/** Where the grid of a time trigger begins: anew when it becomes active, or gets another interval. */
function beginning(
  { active, every }: { active: boolean; every: number },
  was: TriggerSnapshot | undefined,
  now: Instant,
): Instant {
  if (was?.type !== 'time') return now;
  return !active || (was.active && was.every === every) ? was.since : now;
}

function filtersOf(filters: Readonly<Record<string, string>>): AttributeFilter[] {
  return Object.entries(filters)
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function idOf(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`no id for ${key}`);
  return id;
}
