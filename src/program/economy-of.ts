import { writeDuration } from '../rules/limits-record.ts';
import type { AchievementSnapshot, ProgramSnapshot, SystemSnapshot, TriggerSnapshot } from '../rules/program.ts';
import type { AttributeFilter } from '../rules/types.ts';
import type { Economy, EconomyAchievement, EconomyMetric, EconomySystem, EconomyTrigger, Named } from './economy.ts';

/** The economy of a program in force, with what is declared beside it. */
export function economyOf(
  project: Pick<Economy, 'timeZone' | 'keylessEvents'>,
  declared: { metrics: readonly EconomyMetric[]; userAttributes: readonly Named[]; eventAttributes: readonly Named[] },
  snapshot: ProgramSnapshot,
): Economy {
  const { streak, achievements = [], systems } = snapshot;
  return {
    ...project,
    ...declared,
    streak:
      streak === undefined ? null : { frequency: streak.frequency, metrics: streak.metrics.map(({ key }) => key) },
    achievements: achievements.map(achievementOf),
    systems: systems.map(systemOf),
  };
}

function achievementOf({
  key,
  name,
  description,
  badgeUrl = '',
  active,
  userAttributes,
  rule,
}: AchievementSnapshot): EconomyAchievement {
  const base = { key, name, description, badgeUrl, status: statusOf(active), userAttributes: recordOf(userAttributes) };
  switch (rule.type) {
    case 'api':
      return { ...base, type: 'api' };
    case 'metric':
      return { ...base, type: 'metric', metric: rule.metricKey, total: rule.total };
    case 'streak':
      return { ...base, type: 'streak', length: String(rule.length) };
  }
}

function systemOf(system: SystemSnapshot): EconomySystem {
  const { key, name, description, badgeUrl = '', maxPoints, minPoints, levelBasis, boostCeiling } = system;
  return {
    key,
    name,
    description,
    badgeUrl,
    maxPoints,
    minPoints,
    levelBasis,
    boostCeiling,
    levels: system.levels.map((level) => ({
      key: level.key,
      name: level.name,
      description: level.description,
      badgeUrl: level.badgeUrl ?? '',
      points: level.points,
      rewards: Object.fromEntries((level.rewards ?? []).map(({ systemKey, points }) => [systemKey, points])),
    })),
    triggers: system.triggers.map(triggerOf),
  };
}

function triggerOf(trigger: TriggerSnapshot): EconomyTrigger {
  const base = {
    key: trigger.key,
    status: statusOf(trigger.active),
    points: trigger.points,
    userAttributes: recordOf(trigger.userAttributes),
    onFloor: trigger.onFloor,
  };
  switch (trigger.type) {
    case 'metric':
      return {
        ...base,
        type: 'metric',
        metric: trigger.metricKey,
        threshold: trigger.threshold,
        eventAttributes: recordOf(trigger.eventAttributes),
        limits: { ...trigger.limits },
      };
    case 'user_creation':
      return { ...base, type: 'user_creation' };
    case 'time':
      return { ...base, type: 'time', every: writeDuration(trigger.every), runs: trigger.runs };
    case 'streak':
      return { ...base, type: 'streak', length: String(trigger.length) };
    case 'achievement':
      return { ...base, type: 'achievement', achievement: trigger.achievementKey };
  }
}

function statusOf(active: boolean): 'active' | 'inactive' {
  return active ? 'active' : 'inactive';
}

function recordOf(filters: readonly AttributeFilter[]): Record<string, string> {
  return Object.fromEntries(filters.map(({ key, value }) => [key, value]));
}
