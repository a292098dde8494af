import { describe, expect, it } from '@jest/globals';
import { decide, decideCompletion } from '../../src/rules/decide.ts';
import { fromRecord, toRecord } from '../../src/rules/record.ts';
import type { Achievement } from '../../src/rules/types.ts';
import {
  achievement,
  achievementTrigger,
  applied,
  boost,
  counter,
  decimal,
  event,
  filters,
  NOON,
  play,
  posted,
  program,
  refused,
  system,
  user,
} from './build.ts';

const total = (points: number, rest: Partial<Achievement> = {}) =>
  achievement('hundred', { type: 'metric', metricId: 'lessons', metricKey: 'lessons', total: decimal(points) }, rest);
const days = (length: number) => achievement('week', { type: 'streak', length });
const api = (rest: Partial<Achievement> = {}) => achievement('shared', { type: 'api' }, rest);
const rules = (...achievements: Achievement[]) =>
  program(system(achievements.map(({ id }) => achievementTrigger(id, 50))), 'UTC', {
    achievements,
    streak: { frequency: 'daily', metrics: [] },
  });

describe('an achievement by a total', () => {
  it('is completed once, by the event that reaches it', () => {
    const { decisions } = play(rules(total(10)), user(), [event(9), event(1), event(5), event(-10), event(20)]);
    expect(decisions.map(posted)).toEqual([0n, 50n, 0n, 0n, 0n]);
    expect(applied(decisions[1]!).completed).toEqual([{ achievementId: 'hundred', backdated: false }]);
    expect(applied(decisions[2]!).completed).toEqual([]);
  });

  it('that was reached before is completed by the next event, and pays nothing', () => {
    const decision = decide(rules(total(10)), user({ counter: counter(50) }), event(1));
    expect(posted(decision)).toBe(0n);
    expect(applied(decision)).toMatchObject({
      completed: [{ achievementId: 'hundred', backdated: true }],
      notFired: [{ why: 'backdated' }],
    });
  });

  it('is passed over while it is inactive or not for the user', () => {
    for (const rest of [{ active: false }, { userAttributes: filters({ plan: 'pro' }) }]) {
      expect(applied(decide(rules(total(10, rest)), user(), event(10)))).toMatchObject({ completed: [], fired: [] });
    }
    const pro = user({ attributes: { plan: 'pro' } });
    expect(posted(decide(rules(total(10, { userAttributes: filters({ plan: 'pro' }) })), pro, event(10)))).toBe(50n);
  });
});

describe('an achievement by a streak', () => {
  const day = (date: string) => event(1, {}, `${date}T12:00Z`);

  it('is completed by the period that makes the run long enough', () => {
    const three = ['2026-06-01', '2026-06-02', '2026-06-03', '2026-06-04'];
    const { decisions } = play(rules(days(3)), user(), three.map(day));
    expect(decisions.map(posted)).toEqual([0n, 0n, 50n, 0n]);
  });

  it('that was long enough before is backdated', () => {
    const long = user({ runs: [{ first: 0, last: 30_000 }] });
    expect(applied(decide(rules(days(3)), long, day('2026-06-01'))).completed).toEqual([
      { achievementId: 'week', backdated: true },
    ]);
  });
});

describe('an achievement that the app completes', () => {
  const complete = (achievements: Achievement[], state = user(), created = false) =>
    decideCompletion(rules(...achievements), state, 'shared', { at: NOON, created });

  it('pays what triggers pay, boosted like any award', () => {
    expect(posted(complete([api()]))).toBe(50n);
    const boosted = program(system([achievementTrigger('shared', 50)], { boosts: [boost(2)] }), 'UTC', {
      achievements: [api()],
    });
    expect(posted(decideCompletion(boosted, user(), 'shared', { at: NOON, created: false }))).toBe(100n);
  });

  it.each([
    ['what is not there', [], 'ACHIEVEMENT_UNKNOWN', undefined],
    ['what is inactive', [api({ active: false })], 'ACHIEVEMENT_NOT_FOR_USER', 'inactive'],
    [
      'what is for others',
      [api({ userAttributes: filters({ plan: 'pro' }) })],
      'ACHIEVEMENT_NOT_FOR_USER',
      'user_attributes',
    ],
    ['what users reach by themselves', [total(10, { id: 'shared' })], 'ACHIEVEMENT_NOT_FOR_USER', 'rule'],
  ])('refuses %s', (_, achievements, code, why) => {
    const refusal = refused(complete(achievements));
    expect([refusal.code, refusal.detail.why]).toEqual([code, why]);
  });

  it('is written and read without loss', () => {
    const decision = applied(complete([api()], user(), true));
    const record = JSON.parse(JSON.stringify(toRecord(decision)));
    expect(fromRecord(record, decision)).toEqual(decision);
  });
});
