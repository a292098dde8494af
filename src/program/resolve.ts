import type { BoostSnapshot, ProgramSnapshot, SystemSnapshot, TriggerSnapshot } from '../rules/program.ts';
import type { AttributeFilter } from '../rules/types.ts';
import type { Economy, EconomySystem, EconomyTrigger, Named } from './economy.ts';

/** What the database and the program in force have given ids to. */
export interface Ids {
  metrics: ReadonlyMap<string, string>;
  systems: ReadonlyMap<string, string>;
  /** The boosts of all users, by id of the points system. */
  boosts: ReadonlyMap<string, BoostSnapshot[]>;
}

/**
 * The economy as the snapshot of a program. What keeps its key keeps its id: triggers their counters, points systems
 * their boosts and accounts.
 */
export function resolve(economy: Economy, ids: Ids, current: ProgramSnapshot, uuid: () => string): ProgramSnapshot {
  return {
    timeZone: economy.timeZone,
    systems: economy.systems.map((system) => {
      const was = current.systems.find((item) => item.key === system.key);
      return systemSnapshot(system, ids, was, uuid);
    }),
  };
}

function systemSnapshot(
  system: EconomySystem,
  ids: Ids,
  was: SystemSnapshot | undefined,
  uuid: () => string,
): SystemSnapshot {
  const id = idOf(ids.systems, system.key);
  return {
    ...system,
    id,
    levels: system.levels.map((level) => ({ ...level })),
    triggers: system.triggers.map((trigger) =>
      triggerSnapshot(trigger, was?.triggers.find((item) => item.key === trigger.key)?.id ?? uuid(), ids),
    ),
    boosts: ids.boosts.get(id) ?? [],
  };
}

function triggerSnapshot(trigger: EconomyTrigger, id: string, ids: Ids): TriggerSnapshot {
  const base = {
    id,
    key: trigger.key,
    active: trigger.status === 'active',
    points: trigger.points,
    userAttributes: filtersOf(trigger.userAttributes),
    onFloor: trigger.onFloor,
  };
  if (trigger.type === 'user_creation') return { ...base, type: 'user_creation' };
  return {
    ...base,
    type: 'metric',
    metricId: idOf(ids.metrics, trigger.metric),
    metricKey: trigger.metric,
    threshold: trigger.threshold,
    eventAttributes: filtersOf(trigger.eventAttributes),
    limits: trigger.limits,
  };
}

/** The economy of a program in force, with what is declared beside it. */
export function economyOf(
  project: Pick<Economy, 'timeZone' | 'keylessEvents'>,
  declared: { metrics: readonly Named[]; userAttributes: readonly Named[]; eventAttributes: readonly Named[] },
  snapshot: ProgramSnapshot,
): Economy {
  return { ...project, ...declared, systems: snapshot.systems.map(systemOf) };
}

function systemOf(system: SystemSnapshot): EconomySystem {
  const { key, name, description, maxPoints, minPoints, levelBasis, boostCeiling } = system;
  return {
    key,
    name,
    description,
    maxPoints,
    minPoints,
    levelBasis,
    boostCeiling,
    levels: system.levels.map((level) => ({
      key: level.key,
      name: level.name,
      description: level.description,
      points: level.points,
    })),
    triggers: system.triggers.map(triggerOf),
  };
}

function triggerOf(trigger: TriggerSnapshot): EconomyTrigger {
  const record = (filters: readonly AttributeFilter[]) =>
    Object.fromEntries(filters.map(({ key, value }) => [key, value]));
  const base = {
    key: trigger.key,
    status: trigger.active ? ('active' as const) : ('inactive' as const),
    points: trigger.points,
    userAttributes: record(trigger.userAttributes),
    onFloor: trigger.onFloor,
  };
  if (trigger.type === 'user_creation') return { ...base, type: 'user_creation' };
  return {
    ...base,
    type: 'metric',
    metric: trigger.metricKey,
    threshold: trigger.threshold,
    eventAttributes: record(trigger.eventAttributes),
    limits: { ...trigger.limits },
  };
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
