import { parseDecimal } from '../rules/decimal.ts';
import { readDuration, readLimits } from '../rules/limits-record.ts';
import { POINTS_LIMIT } from '../rules/types.ts';
import { isZone } from '../rules/zone.ts';
import type {
  Economy,
  EconomyAchievement,
  EconomyLevel,
  EconomyMetric,
  EconomyMetricTrigger,
  EconomySystem,
  EconomyTimeTrigger,
  EconomyTrigger,
  Problem,
} from './economy.ts';

const HOUR_MS = 3_600_000;
const DURATION_MAX_MS = 99_999 * 24 * HOUR_MS;
const LENGTH_MAX = 100_000;

/** Ticks of several triggers between one another are settled one by one: so many can be caught up after a year away. */
const TIME_TRIGGERS_MAX = 20;

/** What is wrong with an economy of the right form: names that mean nothing, numbers out of range, things said twice. */
export function findProblems(economy: Economy): Problem[] {
  return [
    ...(isZone(economy.timeZone) ? [] : [{ path: 'timeZone', message: 'must be an IANA time zone' }]),
    ...repeated('metrics', economy.metrics),
    ...economy.metrics.flatMap(unitProblems),
    ...repeated('userAttributes', economy.userAttributes),
    ...repeated('eventAttributes', economy.eventAttributes),
    ...streakProblems(economy),
    ...repeated('achievements', economy.achievements),
    ...economy.achievements.flatMap((achievement) => achievementProblems(economy, achievement)),
    ...repeated('systems', economy.systems),
    ...economy.systems.flatMap((system) => systemProblems(economy, system)),
  ];
}

function unitProblems({ key, unitType, units }: EconomyMetric): Problem[] {
  if (unitType === 'number' || units === '' || /^[A-Z]{3}$/.test(units)) return [];
  return [{ path: `metrics.${key}.units`, message: 'must be the code of a currency, such as USD' }];
}

function streakProblems(economy: Economy): Problem[] {
  const metrics = economy.streak?.metrics ?? [];
  return [
    ...repeated(
      'streak.metrics',
      metrics.map((key) => ({ key })),
    ),
    ...metrics.flatMap((key) => unknown(`streak.metrics.${key}`, 'metric', key, economy.metrics)),
  ];
}

function achievementProblems(economy: Economy, achievement: EconomyAchievement): Problem[] {
  const path = `achievements.${achievement.key}`;
  return [
    ...(achievement.type === 'metric'
      ? [
          ...unknown(`${path}.metric`, 'metric', achievement.metric, economy.metrics),
          ...(parseDecimal(achievement.total) > 0n ? [] : [{ path: `${path}.total`, message: 'must be above 0' }]),
        ]
      : []),
    ...(achievement.type === 'streak' ? lengthProblems(economy, path, achievement.length) : []),
    ...undeclared(`${path}.userAttributes`, achievement.userAttributes, economy.userAttributes, 'user'),
  ];
}

/** What is wrong with something that asks for so many periods of the project's streak. */
function lengthProblems(economy: Economy, path: string, length: string): Problem[] {
  return [
    ...(economy.streak === null
      ? [{ path: `${path}.type`, message: 'streak needs the project to count streaks: streak.frequency must be given' }]
      : []),
    ...(Number(length) <= LENGTH_MAX ? [] : [{ path: `${path}.length`, message: `must be 1 to ${LENGTH_MAX}` }]),
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
    ...system.levels.flatMap((level) => levelProblems(economy, `${path}.levels.${level.key}`, level)),
    ...repeated(`${path}.triggers`, system.triggers),
    ...(system.triggers.filter(({ type }) => type === 'time').length > TIME_TRIGGERS_MAX
      ? [{ path: `${path}.triggers`, message: `must have at most ${TIME_TRIGGERS_MAX} of type time` }]
      : []),
    ...system.triggers.flatMap((trigger) =>
      triggerProblems(economy, system, `${path}.triggers.${trigger.key}`, trigger),
    ),
  ];
}

function levelProblems(economy: Economy, path: string, { points, rewards }: EconomyLevel): Problem[] {
  const given = Object.entries(rewards);
  return [
    ...range(`${path}.points`, points),
    ...(BigInt(points) < 0n ? [{ path: `${path}.points`, message: 'must be 0 or more' }] : []),
    ...(BigInt(points) === 0n && given.length > 0
      ? [
          {
            path: `${path}.rewards`,
            message: 'must be left out in a level of 0 points: it is held from the start and never reached',
          },
        ]
      : []),
    ...given.flatMap(([key, reward]) => [
      ...unknown(`${path}.rewards.${key}`, 'points system', key, economy.systems),
      ...(BigInt(reward) > 0n && BigInt(reward) <= POINTS_LIMIT
        ? []
        : [{ path: `${path}.rewards.${key}`, message: 'must be 1 to 2^53 - 1' }]),
    ]),
  ];
}

function triggerProblems(economy: Economy, system: EconomySystem, path: string, trigger: EconomyTrigger): Problem[] {
  return [
    ...(trigger.type === 'metric' ? metricProblems(economy, path, trigger) : []),
    ...(trigger.type === 'time' ? timeProblems(system, path, trigger) : []),
    ...(trigger.type === 'streak' ? lengthProblems(economy, path, trigger.length) : []),
    ...(trigger.type === 'achievement'
      ? unknown(`${path}.achievement`, 'achievement', trigger.achievement, economy.achievements)
      : []),
    ...range(`${path}.points`, trigger.points),
    ...(BigInt(trigger.points) === 0n ? [{ path: `${path}.points`, message: 'must not be 0' }] : []),
    ...undeclared(`${path}.userAttributes`, trigger.userAttributes, economy.userAttributes, 'user'),
  ];
}

function timeProblems({ maxPoints }: EconomySystem, path: string, trigger: EconomyTimeTrigger): Problem[] {
  const every = readDuration(trigger.every);
  const belowCap = trigger.runs === 'below_cap';
  return [
    ...(every % HOUR_MS === 0 && every <= DURATION_MAX_MS
      ? []
      : [{ path: `${path}.every`, message: 'must be whole hours, from 1h to 99999d' }]),
    ...(belowCap && maxPoints === null
      ? [{ path: `${path}.runs`, message: 'below_cap needs the points system to have maxPoints' }]
      : []),
    ...(belowCap && BigInt(trigger.points) < 0n
      ? [{ path: `${path}.runs`, message: 'below_cap goes with a trigger that gives points, not with one that takes' }]
      : []),
  ];
}

function metricProblems(economy: Economy, path: string, trigger: EconomyMetricTrigger): Problem[] {
  const { oncePer, points } = trigger.limits;
  const { cooldown } = readLimits(trigger.limits);
  return [
    ...unknown(`${path}.metric`, 'metric', trigger.metric, economy.metrics),
    ...(parseDecimal(trigger.threshold) > 0n ? [] : [{ path: `${path}.threshold`, message: 'must be above 0' }]),
    ...undeclared(`${path}.eventAttributes`, trigger.eventAttributes, economy.eventAttributes, 'event'),
    ...(oncePer === undefined
      ? []
      : unknown(`${path}.limits.oncePer`, 'event attribute', oncePer, economy.eventAttributes)),
    ...(cooldown === null || cooldown <= DURATION_MAX_MS
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
  declared: Economy['userAttributes'],
  whose: string,
): Problem[] {
  return Object.keys(filters).flatMap((key) => unknown(`${path}.${key}`, `${whose} attribute`, key, declared));
}

function unknown(path: string, what: string, key: string, known: readonly { key: string }[]): Problem[] {
  return known.some((item) => item.key === key)
    ? []
    : [{ path, message: `there is no ${what} ${JSON.stringify(key)}` }];
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
