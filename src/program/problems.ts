import { parseDecimal } from '../rules/decimal.ts';
import { readLimits } from '../rules/limits-record.ts';
import { POINTS_LIMIT } from '../rules/types.ts';
import { isZone } from '../rules/zone.ts';
import type { Economy, EconomyMetricTrigger, EconomySystem, EconomyTrigger, Problem } from './economy.ts';

const COOLDOWN_MAX_MS = 99_999 * 86_400_000;

/** What is wrong with an economy of the right form: names that mean nothing, numbers out of range, things said twice. */
export function findProblems(economy: Economy): Problem[] {
  return [
    ...(isZone(economy.timeZone) ? [] : [{ path: 'timeZone', message: 'must be an IANA time zone' }]),
    ...repeated('metrics', economy.metrics),
    ...repeated('userAttributes', economy.userAttributes),
    ...repeated('eventAttributes', economy.eventAttributes),
    ...repeated('systems', economy.systems),
    ...economy.systems.flatMap((system) => systemProblems(economy, system)),
  ];
}

function systemProblems(economy: Economy, system: EconomySystem): Problem[] {
  const path = `systems.${system.key}`;
  const { minPoints, maxPoints, boostCeiling } = system;
  return [
    ...range(`${path}.maxPoints`, maxPoints),
    ...range(`${path}.minPoints`, minPoints),
    ...(maxPoints !== null && BigInt(maxPoints) < 1n
      ? [{ path: `${path}.maxPoints`, message: 'must be 1 or more' }]
      : []),
    ...(minPoints !== null && maxPoints !== null && BigInt(minPoints) > BigInt(maxPoints)
      ? [{ path: `${path}.minPoints`, message: 'must not be above maxPoints' }]
      : []),
    ...(boostCeiling !== null && parseDecimal(boostCeiling) <= 0n
      ? [{ path: `${path}.boostCeiling`, message: 'must be above 0' }]
      : []),
    ...repeated(`${path}.levels`, system.levels),
    ...system.levels.flatMap((level) => [
      ...range(`${path}.levels.${level.key}.points`, level.points),
      ...(BigInt(level.points) < 0n
        ? [{ path: `${path}.levels.${level.key}.points`, message: 'must be 0 or more' }]
        : []),
    ]),
    ...repeated(`${path}.triggers`, system.triggers),
    ...system.triggers.flatMap((trigger) => triggerProblems(economy, `${path}.triggers.${trigger.key}`, trigger)),
  ];
}

function triggerProblems(economy: Economy, path: string, trigger: EconomyTrigger): Problem[] {
  return [
    ...(trigger.type === 'metric' ? metricProblems(economy, path, trigger) : []),
    ...range(`${path}.points`, trigger.points),
    ...(BigInt(trigger.points) === 0n ? [{ path: `${path}.points`, message: 'must not be 0' }] : []),
    ...undeclared(`${path}.userAttributes`, trigger.userAttributes, economy.userAttributes, 'user'),
  ];
}

function metricProblems(economy: Economy, path: string, trigger: EconomyMetricTrigger): Problem[] {
  const { oncePer, points } = trigger.limits;
  const { cooldown } = readLimits(trigger.limits);
  return [
    ...(economy.metrics.some((metric) => metric.key === trigger.metric)
      ? []
      : [{ path: `${path}.metric`, message: `there is no metric ${JSON.stringify(trigger.metric)}` }]),
    ...(parseDecimal(trigger.threshold) > 0n ? [] : [{ path: `${path}.threshold`, message: 'must be above 0' }]),
    ...undeclared(`${path}.eventAttributes`, trigger.eventAttributes, economy.eventAttributes, 'event'),
    ...(oncePer === undefined || economy.eventAttributes.some((attribute) => attribute.key === oncePer)
      ? []
      : [{ path: `${path}.limits.oncePer`, message: `there is no event attribute ${JSON.stringify(oncePer)}` }]),
    ...(cooldown === null || cooldown <= COOLDOWN_MAX_MS
      ? []
      : [{ path: `${path}.limits.cooldown`, message: 'must be at most 99999d' }]),
    ...(points !== undefined && BigInt(trigger.points) < 0n
      ? [{ path: `${path}.limits.points`, message: 'goes with a trigger that gives points, not with one that takes' }]
      : []),
  ];
}

function undeclared(
  path: string,
  filters: Readonly<Record<string, string>>,
  declared: Economy['metrics'],
  whose: string,
): Problem[] {
  return Object.keys(filters)
    .filter((key) => !declared.some((attribute) => attribute.key === key))
    .map((key) => ({ path: `${path}.${key}`, message: `there is no ${whose} attribute ${JSON.stringify(key)}` }));
}

function range(path: string, points: string | null): Problem[] {
  if (points === null) return [];
  const value = BigInt(points);
  return value >= -POINTS_LIMIT && value <= POINTS_LIMIT ? [] : [{ path, message: 'must be within ±(2^53 - 1)' }];
}

function repeated(path: string, items: readonly { key: string }[]): Problem[] {
  const seen = new Set<string>();
  return items.flatMap(({ key }) => {
    if (seen.has(key)) return [{ path: `${path}.${key}`, message: 'stands there twice' }];
    seen.add(key);
    return [];
  });
}
