import fc from 'fast-check';
import type { Economy, EconomySystem, EconomyTrigger, Named } from '../../src/program/economy.ts';

const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const points = fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n });
const text = (value: bigint | null) => value?.toString() ?? null;

function named(max: number): fc.Arbitrary<Named[]> {
  return fc
    .tuple(fc.subarray(KEYS, { maxLength: max }), fc.array(name, { minLength: max, maxLength: max }))
    .map(([keys, names]) => keys.map((key, index) => ({ key, name: names[index] as string })));
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

function trigger(economy: Omit<Economy, 'systems'>, key: string): fc.Arbitrary<EconomyTrigger> {
  return fc.oneof({ weight: 4, arbitrary: metricTrigger(economy, key) }, creationTrigger(economy, key));
}

function creationTrigger(economy: Omit<Economy, 'systems'>, key: string): fc.Arbitrary<EconomyTrigger> {
  return fc.record({
    key: fc.constant(key),
    type: fc.constant('user_creation' as const),
    status: fc.constantFrom('active', 'inactive'),
    points: points.filter((value) => value !== 0n).map(String),
    userAttributes: filters(economy.userAttributes),
    onFloor: fc.constantFrom('refuse', 'clamp', 'allow'),
  });
}

function metricTrigger(economy: Omit<Economy, 'systems'>, key: string): fc.Arbitrary<EconomyTrigger> {
  return fc.record({
    key: fc.constant(key),
    type: fc.constant('metric' as const),
    status: fc.constantFrom('active', 'inactive'),
    metric: fc.constantFrom(...economy.metrics.map((metric) => metric.key)),
    threshold: decimal,
    points: points.filter((value) => value !== 0n).map(String),
    userAttributes: filters(economy.userAttributes),
    eventAttributes: filters(economy.eventAttributes),
    limits: limits(economy.eventAttributes),
    onFloor: fc.constantFrom('refuse', 'clamp', 'allow'),
  });
}

function system(economy: Omit<Economy, 'systems'>, key: string): fc.Arbitrary<EconomySystem> {
  const triggerKeys = economy.metrics.length === 0 ? fc.constant([]) : fc.subarray(KEYS, { maxLength: 3 });
  return fc.record({
    key: fc.constant(key),
    name,
    description: fc.string({ maxLength: 20 }),
    maxPoints: fc.option(points.filter((value) => value >= 1n)).map(text),
    minPoints: fc.option(points.filter((value) => value <= 0n)).map(text),
    levelBasis: fc.constantFrom('balance', 'earned'),
    boostCeiling: fc.option(decimal),
    levels: named(4)
      .chain((levels) =>
        fc.tuple(
          ...levels.map((level) =>
            fc.record({
              key: fc.constant(level.key),
              name: fc.constant(level.name),
              description: fc.string({ maxLength: 10 }),
              points: points.filter((value) => value >= 0n).map(String),
            }),
          ),
        ),
      )
      .map((levels) => levels.toSorted((a, b) => Number(BigInt(a.points) - BigInt(b.points)))),
    triggers: triggerKeys.chain((keys) => fc.tuple(...keys.map((triggerKey) => trigger(economy, triggerKey)))),
  });
}

/** Any economy without a problem; all its keys are k0 … k11. */
export function anyEconomy(): fc.Arbitrary<Economy> {
  return fc
    .record({
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Kiritimati'),
      keylessEvents: fc.constantFrom('mark', 'warn', 'refuse'),
      metrics: named(4),
      userAttributes: named(3),
      eventAttributes: named(3),
    } as const)
    .chain((rest) =>
      fc
        .subarray(KEYS, { maxLength: 3 })
        .chain((keys) => fc.tuple(...keys.map((key) => system(rest as never, key))))
        .map((systems) => ({ ...rest, systems }) as Economy),
    );
}
