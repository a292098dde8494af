import { stringify } from 'yaml';
import type { Economy, EconomySystem, EconomyTrigger } from './economy.ts';

/** The economy as a file that reads back as the same economy; what is at its default is left out. */
export function writeEconomy(economy: Economy): string {
  const file = {
    timeZone: economy.timeZone,
    ...(economy.keylessEvents !== 'mark' && { keylessEvents: economy.keylessEvents }),
    metrics: economy.metrics,
    ...(economy.userAttributes.length > 0 && { userAttributes: economy.userAttributes }),
    ...(economy.eventAttributes.length > 0 && { eventAttributes: economy.eventAttributes }),
    systems: economy.systems.map(systemFile),
  };
  return stringify(file, { lineWidth: 120, aliasDuplicateObjects: false });
}

function systemFile(system: EconomySystem): object {
  return {
    key: system.key,
    name: system.name,
    ...(system.description !== '' && { description: system.description }),
    ...(system.maxPoints !== null && { maxPoints: BigInt(system.maxPoints) }),
    ...(system.minPoints !== '0' && { minPoints: system.minPoints === null ? null : BigInt(system.minPoints) }),
    ...(system.levelBasis !== 'balance' && { levelBasis: system.levelBasis }),
    ...(system.boostCeiling !== null && { boostCeiling: system.boostCeiling }),
    ...(system.levels.length > 0 && {
      levels: system.levels.map(({ key, name, description, points }) => ({
        key,
        name,
        ...(description !== '' && { description }),
        points: BigInt(points),
      })),
    }),
    ...(system.triggers.length > 0 && { triggers: system.triggers.map(triggerFile) }),
  };
}

function triggerFile(trigger: EconomyTrigger): object {
  const { userAttributes } = trigger;
  return {
    key: trigger.key,
    ...(trigger.type !== 'metric' && { type: trigger.type }),
    ...(trigger.status !== 'active' && { status: trigger.status }),
    ...(trigger.type === 'metric' && {
      metric: trigger.metric,
      threshold: /^[0-9]{1,15}$/.test(trigger.threshold) ? BigInt(trigger.threshold) : trigger.threshold,
    }),
    points: BigInt(trigger.points),
    ...(Object.keys(userAttributes).length > 0 && { userAttributes }),
    ...(trigger.type === 'metric' && filled({ eventAttributes: trigger.eventAttributes, limits: trigger.limits })),
    ...(trigger.onFloor !== 'refuse' && { onFloor: trigger.onFloor }),
  };
}

/** Without what is empty. */
function filled(fields: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}
