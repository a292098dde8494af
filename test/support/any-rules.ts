import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import type { PointsSystemInputSchema, TriggerInputSchema } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import type { BoostInputSchema } from '../../src/gen/guerdon/v1/boost_service_pb.ts';
import {
  OnFloor,
  Period,
  Rounding,
  type TriggerLimitsSchema,
  TriggerStatus,
} from '../../src/gen/guerdon/v1/types_pb.ts';

// Random rules, users and events, of small numbers so that limits, caps and floors meet.

type SystemInput = MessageInitShape<typeof PointsSystemInputSchema>;
type TriggerInput = MessageInitShape<typeof TriggerInputSchema>;
type BoostInput = MessageInitShape<typeof BoostInputSchema>;
type Limits = MessageInitShape<typeof TriggerLimitsSchema>;

const PLANS = ['free', 'pro', 'team'];
const REPOS = ['a', 'b', 'c'];
const START = Date.parse('2024-06-15T00:00Z');
const MINUTES = 8 * 24 * 60;
const anyMinute = fc.integer({ min: 0, max: MINUTES }).map((minute) => START + minute * 60_000);

export const SYSTEMS: (SystemInput & { key: string })[] = [
  { key: 'gold', name: 'Gold', maxPoints: 400n, boostCeiling: '2.5' },
  { key: 'silver', name: 'Silver', minPoints: -40n, boostCeiling: '3.333333333' },
  { key: 'stars', name: 'Stars', noFloor: true },
];

type Filters = { key: string; value: string }[];
const seldom = (any: fc.Arbitrary<Filters>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant<Filters>([]) }, { weight: 3, arbitrary: any });
const filter = (key: string, values: readonly string[]) =>
  fc.constantFrom(...values).map((value): Filters => [{ key, value }]);
const perPeriod = (max: bigint) =>
  fc.record({
    most: fc.bigInt({ min: 1n, max }),
    per: fc.constantFrom(Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH),
  });

const anyLimits: fc.Arbitrary<Limits> = fc.oneof(
  perPeriod(4n).map((awards) => ({ awards })),
  perPeriod(60n).map((points) => ({ points })),
  fc.integer({ min: 60, max: 90_000 }).map((seconds) => ({ cooldown: { seconds: BigInt(seconds) } })),
  fc.constantFrom('lesson_id', 'repo').map((oncePer) => ({ oncePer })),
  fc.record({ awards: perPeriod(9n), points: perPeriod(90n), oncePer: fc.constantFrom('', 'lesson_id') }),
);

const anyTrigger = fc
  .record({
    points: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 45 }) }, fc.integer({ min: -60, max: -1 })),
    status: fc.constantFrom(TriggerStatus.ACTIVE, TriggerStatus.ACTIVE, TriggerStatus.ACTIVE, TriggerStatus.INACTIVE),
    onFloor: fc.constantFrom(OnFloor.CLAMP, OnFloor.CLAMP, OnFloor.ALLOW),
    userAttributes: seldom(filter('plan', PLANS)),
    metricKey: fc.constantFrom('lessons', 'files'),
    threshold: fc.constantFrom('1', '2', '2.5', '7', '0.3'),
    eventAttributes: seldom(fc.oneof(filter('repo', REPOS), filter('lesson_id', REPOS))),
    limits: fc.option(anyLimits, { freq: 3 }),
  })
  .map(({ points, metricKey, threshold, eventAttributes, limits, ...rest }): TriggerInput => {
    const none = limits === null || (points < 0 && 'points' in limits);
    const metric = { metricKey, threshold, eventAttributes, ...(!none && { limits }) };
    return { ...rest, points: BigInt(points), type: { case: 'metric', value: metric } };
  });

const anyBoost = (users: readonly string[]) =>
  fc
    .record({
      multiplier: fc.constantFrom('1.5', '2', '0.5', '1.25', '3.333333333', '1.1', '0.999999999'),
      rounding: fc.constantFrom(Rounding.DOWN, Rounding.UP, Rounding.NEAREST, Rounding.NEAREST),
      exclusive: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
      window: fc.tuple(anyMinute, fc.integer({ min: 1, max: MINUTES / 2 })),
      whom: fc.oneof(
        fc.constantFrom(...users).map((userId) => ({ userId })),
        filter('plan', PLANS).map((userAttributes) => ({ userAttributes })),
        fc.constant({}),
      ),
    })
    .map(
      ({ window: [from, minutes], whom, ...boost }): BoostInput => ({
        ...boost,
        ...whom,
        startTime: timestampFromMs(from),
        endTime: timestampFromMs(from + minutes * 60_000),
      }),
    );

const anyEvent = (users: readonly string[]) =>
  fc.record({
    user: fc.constantFrom(...users),
    metricKey: fc.constantFrom('lessons', 'files'),
    value: fc.constantFrom('1', '2', '3', '-1', '0', '0.5', '12', '-4.75'),
    attributes: fc.dictionary(fc.constantFrom('lesson_id', 'repo'), fc.constantFrom(...REPOS), {
      noNullPrototype: true,
    }),
    at: anyMinute,
  });

/** The same for the same seed: users with plans, triggers and boosts by points system, and events. */
export function anyRules(seed: number, counts: { users: number; triggers: number; boosts: number; events: number }) {
  const users = new Map(
    Array.from({ length: counts.users }, (_, index) => [`u${index}`, PLANS[index % PLANS.length] as string]),
  );
  const names = [...users.keys()];
  const keyed = (triggers: TriggerInput[]) =>
    triggers.map((trigger, index): TriggerInput => Object.assign(trigger, { key: `t${index}` }));
  const named = (boosts: BoostInput[]) =>
    boosts.map((boost, index): BoostInput => Object.assign(boost, { name: `boost ${index}` }));
  const systems = SYSTEMS.map(({ key }, index) => ({
    key,
    triggers: keyed(fc.sample(anyTrigger, { seed: seed + index, numRuns: counts.triggers })),
    boosts: named(fc.sample(anyBoost(names), { seed: seed + index, numRuns: counts.boosts })),
  }));
  return { users, systems, events: fc.sample(anyEvent(names), { seed, numRuns: counts.events }) };
}
