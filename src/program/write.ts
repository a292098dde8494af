import { stringify } from 'yaml';
import type { Economy, EconomyAchievement, EconomySystem, EconomyTrigger } from './economy.ts';

/** The economy as a file that reads back as the same economy; what is at its default is left out. */
export function writeEconomy(economy: Economy): string {
  const file = {
    timeZone: economy.timeZone,
    ...(economy.keylessEvents !== 'mark' && { keylessEvents: economy.keylessEvents }),
    metrics: economy.metrics.map(({ key, name, unitType, units }) => ({
      key,
      name,
      ...(unitType !== 'number' && { unitType }),
      ...(units !== '' && { units }),
    })),
    ...(economy.userAttributes.length > 0 && { userAttributes: economy.userAttributes }),
    ...(economy.eventAttributes.length > 0 && { eventAttributes: economy.eventAttributes }),
    ...(economy.streak !== null && {
      streak: { frequency: economy.streak.frequency, ...filled({ metrics: economy.streak.metrics }) },
    }),
    ...(economy.achievements.length > 0 && { achievements: economy.achievements.map(achievementFile) }),
    systems: economy.systems.map(systemFile),
  };
  return stringify(file, { lineWidth: 120, aliasDuplicateObjects: false });
}

function systemFile(system: EconomySystem): object {
  return {
    key: system.key,
    name: system.name,
    ...(system.description !== '' && { description: system.description }),
    ...(system.badgeUrl !== '' && { badgeUrl: system.badgeUrl }),
    ...(system.maxPoints !== null && { maxPoints: BigInt(system.maxPoints) }),
    ...(system.minPoints !== '0' && { minPoints: system.minPoints === null ? null : BigInt(system.minPoints) }),
    ...(system.levelBasis !== 'balance' && { levelBasis: system.levelBasis }),
    ...(system.boostCeiling !== null && { boostCeiling: system.boostCeiling }),
    ...(system.levels.length > 0 && {
      levels: system.levels.map(({ key, name, description, badgeUrl, points, rewards }) => ({
        key,
        name,
        ...(description !== '' && { description }),
        ...(badgeUrl !== '' && { badgeUrl }),
        points: BigInt(points),
        ...filled({
          rewards: Object.fromEntries(Object.entries(rewards).map(([target, given]) => [target, BigInt(given)])),
        }),
      })),
    }),
    ...(system.triggers.length > 0 && { triggers: system.triggers.map(triggerFile) }),
  };
}

function triggerFile(trigger: EconomyTrigger): object {
  return {
    key: trigger.key,
    ...(trigger.type !== 'metric' && { type: trigger.type }),
    ...(trigger.status !== 'active' && { status: trigger.status }),
    ...(trigger.type === 'metric' && { metric: trigger.metric, threshold: decimal(trigger.threshold) }),
    ...(trigger.type === 'time' && { every: trigger.every, ...(trigger.runs !== 'always' && { runs: trigger.runs }) }),
    ...(trigger.type === 'streak' && { length: BigInt(trigger.length) }),
    ...(trigger.type === 'achievement' && { achievement: trigger.achievement }),
    points: BigInt(trigger.points),
    ...filled({ userAttributes: trigger.userAttributes }),
    ...(trigger.type === 'metric' && filled({ eventAttributes: trigger.eventAttributes, limits: trigger.limits })),
    ...(trigger.onFloor !== 'refuse' && { onFloor: trigger.onFloor }),
  };
}

function achievementFile(achievement: EconomyAchievement): object {
  const { key, name, description, badgeUrl, status, type, userAttributes } = achievement;
  return {
    key,
    name,
    ...(description !== '' && { description }),
    ...(badgeUrl !== '' && { badgeUrl }),
    ...(status !== 'active' && { status }),
    type,
    ...(type === 'metric' && { metric: achievement.metric, total: decimal(achievement.total) }),
    ...(type === 'streak' && { length: BigInt(achievement.length) }),
    ...filled({ userAttributes }),
  };
}

/** As a number where every reader takes it exactly. */
function decimal(text: string): bigint | string {
  return /^[0-9]{1,15}$/.test(text) ? BigInt(text) : text;
}

/** Without what is empty. */
function filled(fields: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}
