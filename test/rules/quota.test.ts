import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, decideCreation } from '../../src/rules/decide.ts';
import { type LimitsRecord, readLimits, writeLimits } from '../../src/rules/limits-record.ts';
import { fromRecord, toRecord } from '../../src/rules/record.ts';
import type { CreationTrigger, MetricEvent } from '../../src/rules/types.ts';
import { changeZone } from '../../src/rules/zone.ts';
import {
  applied,
  boost,
  event,
  filters,
  instant,
  level,
  play,
  posted,
  program,
  recall,
  system,
  trigger,
  user,
} from './build.ts';

/** What each of these events is paid by a trigger of 10 points a lesson with these limits. */
function paid(limits: LimitsRecord, events: readonly MetricEvent[], zone = 'UTC'): number[] {
  const rules = program(system([trigger(1, 10, { limits })]));
  return play(rules, user({ zone }), events).decisions.map((decision) => Number(posted(decision)));
}

const at = (...instants: string[]) => instants.map((when) => event(1, {}, when));

describe('a trigger with limits pays', () => {
  it.each<[string, LimitsRecord, string[], number[]]>([
    ['so many awards a day', { awards: '2/day' }, ['15T01', '15T02', '15T03', '16T00'], [10, 10, 0, 10]],
    ['so many an hour', { awards: '1/hour' }, ['15T01', '15T01:59:59.999', '15T02'], [10, 0, 10]],
    ['so many a week, from Monday', { awards: '1/week' }, ['14T23', '15T00', '21T23', '22T00'], [10, 10, 0, 10]],
    ['so many a month', { awards: '1/month' }, ['01T00', '30T23'], [10, 0]],
    [
      'so many points a day, the last award in part',
      { points: '25/day' },
      ['15T01', '15T02', '15T03', '15T04'],
      [10, 10, 5, 0],
    ],
    ['once a cooldown', { cooldown: '1h' }, ['15T01', '15T01:59:59.999', '15T02', '15T02:30'], [10, 0, 10, 0]],
    ['by all its limits', { awards: '2/day', cooldown: '1h' }, ['15T01', '15T01:30', '15T02', '15T05'], [10, 0, 10, 0]],
  ])('%s', (_title, limits, instants, points) => {
    const full = instants.map((when) => `2026-06-${when.length === 5 ? `${when}:00` : when}Z`);
    expect(paid(limits, at(...full))).toEqual(points);
  });

  it('late events in their own period, and held against their own neighbours', () => {
    const late = at('2026-06-15T10:00Z', '2026-06-16T10:00Z', '2026-06-15T12:00Z', '2026-06-14T12:00Z');
    expect(paid({ awards: '1/day' }, late)).toEqual([10, 10, 0, 10]);
    const backwards = at('2026-06-15T10:00Z', '2026-06-15T09:30Z', '2026-06-15T08:59Z', '2026-06-15T09:45Z');
    expect(paid({ cooldown: '1h' }, backwards)).toEqual([10, 0, 10, 0]);
  });

  it('days of the user’s zone, of any length', () => {
    const night = at('2026-03-28T22:59Z', '2026-03-28T23:00Z', '2026-03-29T21:59Z', '2026-03-29T22:00Z');
    expect(paid({ awards: '1/day' }, night, 'Europe/Berlin')).toEqual([10, 10, 0, 10]);
  });

  it('a traveller no day twice', () => {
    const rules = program(system([trigger(1, 10, { limits: { awards: '1/day' } })]));
    const tokyo = changeZone([], 'Asia/Tokyo', instant('2026-06-14T00:00Z'));
    const morning = play(rules, user({ zones: tokyo }), at('2026-06-15T01:00Z'));
    const home = changeZone(tokyo, 'America/New_York', instant('2026-06-15T05:00Z'));
    const evening = play(rules, { ...morning.state, zones: home }, at('2026-06-15T12:00Z', '2026-06-16T04:00Z'));
    expect(evening.decisions.map((decision) => Number(posted(decision)))).toEqual([0, 10]);
  });

  it('once for each value of an attribute, and nothing without it', () => {
    const lessons = ['a', 'b', 'a', '', ''].map((lesson, index) => event(1, index === 3 ? {} : { lesson }));
    expect(paid({ oncePer: 'lesson' }, lessons)).toEqual([10, 10, 0, 0, 10]);
    expect(paid({ oncePer: 'constructor' }, [event(1)])).toEqual([0]);
  });

  it('what boosts make of an award, up to the limit, and says what was held back and why', () => {
    const rules = program(system([trigger(1, 10, { limits: { points: '15/day' } })], { boosts: [boost(2)], max: 12 }));
    const [fired] = applied(decide(rules, user(), event(1))).fired;
    expect(fired).toMatchObject({ boosted: 20n, amount: 12n, withheld: 8n, held: { by: 'points' } });
  });

  it('again what the cap kept from being an award', () => {
    const rules = program(system([trigger(1, 10, { limits: { awards: '1/day' } })], { max: 5 }));
    const full = user({ balance: 5 });
    const { state, decisions } = play(rules, full, [event(1)]);
    expect(posted(decisions[0]!)).toBe(0n);
    const spent = { ...state, accounts: user({ balance: 0 }).accounts };
    expect(play(rules, spent, [event(1)]).decisions.map(posted)).toEqual([5n]);
  });

  it('in no order of arrival more or less than the limit of each day', () => {
    const day = fc.integer({ min: 1, max: 4 });
    const when = fc
      .tuple(day, fc.integer({ min: 0, max: 23 }))
      .map(([d, hour]) => `2026-06-0${d}T${String(hour).padStart(2, '0')}:00Z`);
    fc.assert(
      fc.property(fc.array(when, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (instants, most) => {
        const points = paid({ awards: `${most}/day` }, at(...instants));
        for (let d = 1; d <= 4; d += 1) {
          const mine = instants.flatMap((text, index) => (text.startsWith(`2026-06-0${d}`) ? [points[index]!] : []));
          expect(mine.reduce((sum, one) => sum + one, 0)).toBe(10 * Math.min(most, mine.length));
        }
      }),
      { seed: 21, numRuns: 200 },
    );
  });

  it('never two awards nearer than the cooldown, and every one that is not', () => {
    const minutes = fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 25 });
    fc.assert(
      fc.property(minutes, (given) => {
        const instants = given.map((minute) => instant('2026-06-15T00:00Z') + minute * 60_000);
        const points = paid(
          { cooldown: '1h' },
          instants.map((when) => event(1, {}, when)),
        );
        const awarded: number[] = [];
        instants.forEach((when, index) => {
          const near = awarded.some((other) => Math.abs(other - when) < 3_600_000);
          expect(points[index]).toBe(near ? 0 : 10);
          if (!near) awarded.push(when);
        });
      }),
      { seed: 22, numRuns: 200 },
    );
  });

  it('what can be decided again from what is kept', () => {
    const limits = { awards: '3/week', points: '45/day', cooldown: '10m', oncePer: 'lesson' };
    const rules = program(system([trigger(1, 10, { limits })]), 'Asia/Tokyo');
    const events = Array.from({ length: 8 }, (_, index) =>
      event(1, { lesson: `l${index % 5}` }, instant('2026-06-15T00:00Z') + index * 400_000),
    );
    const { decisions } = play(rules, user(), events);
    decisions.forEach((decision, index) => {
      const kept = applied(decision);
      const read = fromRecord(JSON.parse(JSON.stringify(toRecord(kept))), kept);
      expect(read).toEqual(kept);
      const one = events[index]!;
      expect(decide(rules, recall(read, one.at), one)).toEqual(kept);
    });
  });
});

it('an award that a boost rounds to nothing still says what room the cap left', () => {
  const rules = program(system([trigger(1, 1)], { max: 9, boosts: [boost('0.5')] }));
  expect(applied(decide(rules, user(), event(1))).fired).toMatchObject([{ amount: 0n, withheld: 0n, room: 9n }]);
});

it.each<[LimitsRecord, LimitsRecord]>([
  [
    { awards: '3/day', points: '100/week', cooldown: '90s', oncePer: 'lesson' },
    { awards: '3/day', points: '100/week', cooldown: '90s', oncePer: 'lesson' },
  ],
  [{ cooldown: '3600s' }, { cooldown: '1h' }],
  [{ cooldown: '48h' }, { cooldown: '2d' }],
  [{}, {}],
])('limits %j are written %j', (given, written) => expect(writeLimits(readLimits(given))).toEqual(written));

describe('a user who becomes known', () => {
  const welcome = (points: number, rest: Partial<CreationTrigger> = {}): CreationTrigger => ({
    id: 'welcome',
    key: 'welcome',
    type: 'user_creation',
    active: true,
    points: BigInt(points),
    userAttributes: [],
    onFloor: 'refuse',
    ...rest,
  });
  const AT = instant('2026-06-15T00:00Z');

  it('is paid once, by the event or without one, at the instant of creation', () => {
    const rules = program(system([trigger(1, 10), welcome(50)], { levels: [level('known', 50)] }));
    const first = applied(decide(rules, user(), { ...event(1), created: AT }));
    expect(first.fired.map(({ triggerId, amount, at }) => [triggerId, amount, at])).toEqual([
      ['t1', 10n, undefined],
      ['welcome', 50n, AT],
    ]);
    expect(first).toMatchObject({ created: AT, systems: [{ levelBefore: null, levelAfter: 'known' }] });
    expect(applied(decide(rules, user(), event(1))).fired.map(({ triggerId }) => triggerId)).toEqual(['t1']);
    expect(posted(decideCreation(rules, user(), AT))).toBe(50n);
  });

  it('is paid by boosts of that instant, not of an event that happened earlier', () => {
    const window = { kind: 'instants' as const, startTime: AT, endTime: AT + 1 };
    const rules = program(system([trigger(1, 10), welcome(50)], { boosts: [boost(2, { window })] }));
    expect(posted(decide(rules, user(), { ...event(1, {}, AT - 1), created: AT }))).toBe(110n);
  });

  it('is not paid where inactive, or where the user does not match, and that is kept', () => {
    const not = (trigger: CreationTrigger) => applied(decideCreation(program(system([trigger])), user(), AT)).notFired;
    expect(not(welcome(5, { active: false }))).toMatchObject([{ why: 'inactive' }]);
    expect(not(welcome(5, { userAttributes: filters({ plan: 'pro' }) }))).toMatchObject([
      { why: 'user_attributes', clause: 'plan' },
    ]);
  });

  it('is decided again the same from what is kept', () => {
    const rules = program(system([trigger(1, 10), welcome(50)], { boosts: [boost(2)] }));
    const one = { ...event(1), created: AT };
    const kept = applied(decide(rules, user(), one));
    const read = fromRecord(JSON.parse(JSON.stringify(toRecord(kept))), kept);
    expect(read).toEqual(kept);
    expect(decide(rules, recall(read, one.at), one)).toEqual(kept);
  });
});
