import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { readEconomy } from '../../src/program/read.ts';

const NAMES = { metrics: [{ key: 'm', name: 'M' }], userAttributes: [{ key: 'plan', name: 'Plan' }] };
const STREAK = { streak: { frequency: 'daily' } };
const BADGE = { key: 'b', name: 'B', type: 'api' };

const file = (rest: object) => readEconomy(stringify({ ...NAMES, ...rest }, { aliasDuplicateObjects: false }));
const withSystem = (system: object, rest: object = {}) =>
  file({ ...rest, systems: [{ key: 's', name: 'S', ...system }] });
const withTrigger = (trigger: object, rest: object = {}) =>
  withSystem({ triggers: [{ key: 't', points: 1, ...trigger }] }, rest);
const withLevel = (level: object, rest: object = {}) =>
  withSystem({ levels: [{ key: 'l', name: 'L', points: 10, ...level }] }, rest);
const withAchievement = (achievement: object, rest: object = {}) =>
  file({ ...rest, achievements: [{ ...BADGE, ...achievement }] });

type Case = [what: string, ReturnType<typeof readEconomy>, path: string, message: string];

const T = 'systems.s.triggers.t';
const L = 'systems.s.levels.l';
const B = 'achievements.b';

describe('is refused, and why:', () => {
  it.each<Case>([
    ['no interval', withTrigger({ type: 'time' }), T, "must have required property 'every'"],
    ['no duration', withTrigger({ type: 'time', every: 'daily' }), `${T}.every`, 'such as 3h'],
    ['a number alone', withTrigger({ type: 'time', every: 3 }), `${T}.every`, 'must match pattern'],
    ['no whole hours', withTrigger({ type: 'time', every: '90m' }), `${T}.every`, 'must be whole hours'],
    ['seconds', withTrigger({ type: 'time', every: '59s' }), `${T}.every`, 'must be whole hours'],
    ['over 99999 days', withTrigger({ type: 'time', every: '100000d' }), `${T}.every`, 'must be whole hours'],
    ['far over', withTrigger({ type: 'time', every: '9999999999d' }), `${T}.every`, 'must be whole hours'],
    ['another mode', withTrigger({ type: 'time', every: '1h', runs: 'often' }), `${T}.runs`, 'always, below_cap'],
    [
      'no cap to be below',
      withTrigger({ type: 'time', every: '1h', runs: 'below_cap' }),
      `${T}.runs`,
      'needs the points system to have maxPoints',
    ],
    [
      'taking below the cap',
      withSystem({
        maxPoints: 5,
        triggers: [{ key: 't', type: 'time', every: '1h', runs: 'below_cap', points: -1 }],
      }),
      `${T}.runs`,
      'goes with a trigger that gives',
    ],
    ['a metric', withTrigger({ type: 'time', every: '1h', metric: 'm' }), `${T}.metric`, 'does not go with this type'],
    ['limits', withTrigger({ type: 'time', every: '1h', limits: {} }), `${T}.limits`, 'does not go with this type'],
    ['no points', withTrigger({ type: 'time', every: '1h', points: 0 }), `${T}.points`, 'must not be 0'],
    [
      'an unknown attribute',
      withTrigger({ type: 'time', every: '1h', userAttributes: { x: 'y' } }),
      `${T}.userAttributes.x`,
      'there is no user attribute "x"',
    ],
  ])('a time trigger with %s', expectProblem);

  it.each<Case>([
    ['no length', withTrigger({ type: 'streak' }, STREAK), T, "must have required property 'length'"],
    [
      'no streak to grow',
      withTrigger({ type: 'streak', length: 7 }),
      `${T}.type`,
      'needs the project to count streaks',
    ],
    ['length 0', withTrigger({ type: 'streak', length: 0 }, STREAK), `${T}.length`, '1 to 100000'],
    ['half a length', withTrigger({ type: 'streak', length: 1.5 }, STREAK), `${T}.length`, '1 to 100000'],
    ['length 100001', withTrigger({ type: 'streak', length: 100_001 }, STREAK), `${T}.length`, '1 to 100000'],
    ['an interval', withTrigger({ type: 'streak', length: 1, every: '1h' }, STREAK), `${T}.every`, 'does not go with'],
  ])('a streak trigger with %s', expectProblem);

  it.each<Case>([
    ['none', withTrigger({ type: 'achievement' }), T, "must have required property 'achievement'"],
    [
      'an unknown one',
      withTrigger({ type: 'achievement', achievement: 'b' }),
      `${T}.achievement`,
      'there is no achievement "b"',
    ],
    [
      'a length',
      withTrigger({ type: 'achievement', achievement: 'b', length: 3 }, { ...STREAK, achievements: [BADGE] }),
      `${T}.length`,
      'does not go with this type',
    ],
  ])('an achievement trigger with %s', expectProblem);

  it.each<Case>([
    ['no type', withAchievement({ type: undefined }), B, "must have required property 'type'"],
    ['another type', withAchievement({ type: 'time' }), `${B}.type`, 'api, metric, streak'],
    ['no name', withAchievement({ name: undefined }), B, "must have required property 'name'"],
    ['the key of another', file({ achievements: [BADGE, BADGE] }), B, 'stands there twice'],
    ['no total', withAchievement({ type: 'metric', metric: 'm' }), B, "must have required property 'total'"],
    ['total 0', withAchievement({ type: 'metric', metric: 'm', total: 0 }), `${B}.total`, 'must be above 0'],
    ['a total below', withAchievement({ type: 'metric', metric: 'm', total: -1 }), `${B}.total`, 'above 0'],
    [
      'an unknown metric',
      withAchievement({ type: 'metric', metric: 'x', total: 1 }),
      `${B}.metric`,
      'there is no metric "x"',
    ],
    [
      'a metric of its own while the app completes it',
      withAchievement({ metric: 'm' }),
      `${B}.metric`,
      'does not go with this type',
    ],
    ['no streak', withAchievement({ type: 'streak', length: 7 }), `${B}.type`, 'needs the project to count streaks'],
    ['too long a streak', withAchievement({ type: 'streak', length: 100_001 }, STREAK), `${B}.length`, '1 to 100000'],
    [
      'an unknown attribute',
      withAchievement({ userAttributes: { x: 'y' } }),
      `${B}.userAttributes.x`,
      'there is no user attribute "x"',
    ],
  ])('an achievement with %s', expectProblem);

  it.each<Case>([
    ['no frequency', file({ streak: {} }), 'streak', "must have required property 'frequency'"],
    ['another frequency', file({ streak: { frequency: 'hourly' } }), 'streak.frequency', 'daily, weekly, monthly'],
    ['an unknown metric', streak(['m', 'x']), 'streak.metrics.x', 'there is no metric "x"'],
    ['a metric twice', streak(['m', 'm']), 'streak.metrics.m', 'stands there twice'],
  ])('a streak with %s', expectProblem);

  it.each<Case>([
    ['no points', withLevel({ rewards: { s: 0 } }), `${L}.rewards.s`, 'must be 1 to 2^53 - 1'],
    ['points to take', withLevel({ rewards: { s: -5 } }), `${L}.rewards.s`, 'must be 1 to 2^53 - 1'],
    ['too many points', withLevel({ rewards: { s: '9007199254740992' } }), `${L}.rewards.s`, 'must be 1 to 2^53 - 1'],
    ['half a point', withLevel({ rewards: { s: 0.5 } }), `${L}.rewards.s`, 'has not the right form'],
    ['an unknown system', withLevel({ rewards: { x: 5 } }), `${L}.rewards.x`, 'there is no points system "x"'],
    [
      'a threshold of 0',
      withLevel({ points: 0, rewards: { s: 5 } }),
      `${L}.rewards`,
      'must be left out in a level of 0 points',
    ],
  ])('a reward with %s', expectProblem);
});

describe('is taken:', () => {
  it.each<[string, ReturnType<typeof readEconomy>]>([
    ['a time trigger that takes', withTrigger({ type: 'time', every: '1d', points: -1 })],
    ['the longest interval', withTrigger({ type: 'time', every: '99999d' })],
    ['the longest streak', withTrigger({ type: 'streak', length: '100000' }, STREAK)],
    ['a system that rewards itself', withLevel({ rewards: { s: '9007199254740991' } })],
    ['an achievement of a streak', withAchievement({ type: 'streak', length: 1 }, STREAK)],
    ['no streak, in words', file({ streak: null })],
  ])('%s', (_, { problems }) => {
    expect(problems).toEqual([]);
  });

  it.each([
    ['24h', '1d'],
    ['48h', '2d'],
    ['25h', '25h'],
    ['120m', '2h'],
    ['3600s', '1h'],
  ])('%s as %s', (every, normal) => {
    const { economy } = withTrigger({ type: 'time', every });
    expect(economy?.systems[0]?.triggers[0]).toMatchObject({ every: normal, runs: 'always' });
  });
});

function streak(metrics: string[]) {
  return file({ streak: { frequency: 'weekly', metrics } });
}

function expectProblem(
  _: string,
  { economy, problems }: ReturnType<typeof readEconomy>,
  path: string,
  message: string,
) {
  expect(economy).toBeUndefined();
  expect(problems).toEqual(expect.arrayContaining([{ path, message: expect.stringContaining(message) }]));
}
