import fc from 'fast-check';
import type {
  Economy,
  EconomyAchievement,
  EconomyMetric,
  EconomySystem,
  EconomyTrigger,
  Named,
} from '../../src/program/economy.ts';

const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const points = fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n });
const text = (value: bigint | null) => value?.toString() ?? null;

function named(max: number): fc.Arbitrary<Named[]> {
  return fc
    .tuple(fc.subarray(KEYS, { maxLength: max }), fc.array(name, { minLength: max, maxLength: max }))
    .map(([keys, names]) => keys.map((key, index) => ({ key, name: names[index] as string })));
}

function metrics(max: number): fc.Arbitrary<EconomyMetric[]> {
  const unit = fc.oneof(
    fc.record({ unitType: fc.constant('number' as const), units: fc.string({ maxLength: 10 }) }),
    fc.record({ unitType: fc.constant('currency' as const), units: fc.constantFrom('', 'USD') }),
  );
  return fc
    .tuple(named(max), fc.array(unit, { minLength: max, maxLength: max }))
    .map(([items, units]) => items.map((item, index) => ({ ...item, ...(units[index] as (typeof units)[number]) })));
}

const decimal = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(9, '0')}`.replace(/\.?0+$/, ''));

function filters(declared: readonly Named[]): fc.Arbitrary<Record<string, string>> {
  return fc
    .subarray(
      declared.map(({ key }) => key),
      { maxLength: Math.min(2, declared.length) },
    )
    .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), fc.string({ maxLength: 8 })))))
    .map((entries) => Object.fromEntries(entries));
}

const perPeriod = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('hour', 'day', 'week', 'month'))
  .map(([most, per]) => `${most}/${per}`);

function limits(declared: readonly Named[]): fc.Arbitrary<Record<string, string>> {
  const oncePer = declared.map(({ key }) => key);
  return fc.record(
    {
      awards: perPeriod,
      cooldown: fc.constantFrom('7s', '90m', '5h', '3d'),
      ...(oncePer.length > 0 && { oncePer: fc.constantFrom(...oncePer) }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>;
}

type Rest = Omit<Economy, 'systems'>;

const status = fc.constantFrom('active' as const, 'inactive' as const);
const length = fc.integer({ min: 1, max: 100_000 }).map(String);
const keyOf = (items: readonly Named[]) => fc.nat().map((at) => items[at % items.length]?.key ?? '');

/** Of the types that the rest of the economy allows. */
function trigger(rest: Rest, key: string, capped: boolean): fc.Arbitrary<EconomyTrigger> {
  const given = points.filter((value) => value !== 0n);
  const base = {
    key: fc.constant(key),
    status,
    points: given.map(String),
    userAttributes: filters(rest.userAttributes),
    onFloor: fc.constantFrom('refuse' as const, 'clamp' as const, 'allow' as const),
  };
  const metric = fc.record({
    ...base,
    type: fc.constant('metric' as const),
    metric: keyOf(rest.metrics),
    threshold: decimal,
    eventAttributes: filters(rest.eventAttributes),
    limits: limits(rest.eventAttributes),
  });
  const time = fc.record({
    ...base,
    type: fc.constant('time' as const),
    every: fc.constantFrom('1h', '7h', '1d', '25h', '99999d'),
    runs: fc.constant('always' as const),
  });
  const energy = fc.record({
    ...base,
    type: fc.constant('time' as const),
    points: given.map((value) => String(value < 0n ? -value : value)),
    every: fc.constantFrom('1h', '3h'),
    runs: fc.constant('below_cap' as const),
  });
  return fc.oneof(
    fc.record({ ...base, type: fc.constant('user_creation' as const) }),
    capped ? energy : time,
    time,
    ...(rest.metrics.length === 0 ? [] : [metric, metric]),
    ...(rest.streak === null ? [] : [fc.record({ ...base, type: fc.constant('streak' as const), length })]),
    ...(rest.achievements.length === 0
      ? []
      : [fc.record({ ...base, type: fc.constant('achievement' as const), achievement: keyOf(rest.achievements) })]),
  );
}

function achievement(rest: Omit<Rest, 'achievements'>, { key, name }: Named): fc.Arbitrary<EconomyAchievement> {
  const base = {
    key: fc.constant(key),
    name: fc.constant(name),
    description: fc.string({ maxLength: 10 }),
    badgeUrl: fc.string({ maxLength: 10 }),
    status,
    userAttributes: filters(rest.userAttributes),
  };
  return fc.oneof(
    fc.record({ ...base, type: fc.constant('api' as const) }),
    ...(rest.metrics.length === 0
      ? []
      : [fc.record({ ...base, type: fc.constant('metric' as const), metric: keyOf(rest.metrics), total: decimal })]),
    ...(rest.streak === null ? [] : [fc.record({ ...base, type: fc.constant('streak' as const), length })]),
  );
}

function rewards(systemKeys: readonly string[]): fc.Arbitrary<Record<string, string>> {
  return fc
    .subarray([...systemKeys], { maxLength: Math.min(2, systemKeys.length) })
    .chain((keys) =>
      fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), points.filter((value) => value > 0n).map(String)))),
    )
    .map((entries) => Object.fromEntries(entries));
}

function system(rest: Rest, key: string, systemKeys: readonly string[]): fc.Arbitrary<EconomySystem> {
  const levels = named(4)
    .chain((items) =>
      fc.tuple(
        ...items.map((item) =>
          fc.record({
            key: fc.constant(item.key),
            name: fc.constant(item.name),
            description: fc.string({ maxLength: 10 }),
            badgeUrl: fc.string({ maxLength: 10 }),
            points: points.filter((value) => value >= 0n).map(String),
            rewards: rewards(systemKeys),
          }),
        ),
      ),
    )
    .map((items) =>
      items
        .map((level) => (level.points === '0' ? { ...level, rewards: {} } : level))
        .toSorted((a, b) => Number(BigInt(a.points) - BigInt(b.points))),
    );
  return fc
    .tuple(fc.subarray(KEYS, { maxLength: 3 }), fc.option(points.filter((value) => value >= 1n)).map(text))
    .chain(([triggerKeys, maxPoints]) =>
      fc.record({
        key: fc.constant(key),
        name,
        description: fc.string({ maxLength: 20 }),
        badgeUrl: fc.string({ maxLength: 20 }),
        maxPoints: fc.constant(maxPoints),
        minPoints: fc.option(points.filter((value) => value <= 0n)).map(text),
        levelBasis: fc.constantFrom('balance' as const, 'earned' as const),
        boostCeiling: fc.option(decimal),
        levels,
        triggers: fc.tuple(...triggerKeys.map((triggerKey) => trigger(rest, triggerKey, maxPoints !== null))),
      }),
    );
}

/** Any economy without a problem; all its keys are k0 … k11. */
export function anyEconomy(): fc.Arbitrary<Economy> {
  return fc
    .record({
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Kiritimati'),
      keylessEvents: fc.constantFrom('mark' as const, 'warn' as const, 'refuse' as const),
      metrics: metrics(4),
      userAttributes: named(3),
      eventAttributes: named(3),
    })
    .chain((rest) => streak(rest.metrics).map((value) => ({ ...rest, streak: value })))
    .chain((rest) =>
      named(3)
        .chain((items) => fc.tuple(...items.map((item) => achievement(rest, item))))
        .map((achievements) => ({ ...rest, achievements })),
    )
    .chain((rest) =>
      fc
        .subarray(KEYS, { maxLength: 3 })
        .chain((keys) => fc.tuple(...keys.map((key) => system(rest, key, keys))))
        .map((systems) => ({ ...rest, systems })),
    );
}

function streak(metrics: readonly Named[]): fc.Arbitrary<Economy['streak']> {
  const keys = metrics.map(({ key }) => key);
  return fc.option(
    fc.record({ frequency: fc.constantFrom('daily', 'weekly', 'monthly'), metrics: fc.shuffledSubarray(keys) }),
  );
}
