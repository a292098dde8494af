import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/rules/decide.ts';
import { daysOf, extend, isExtended, lengthOf, multiplesPassed, periodOf } from '../../src/rules/streak.ts';
import type { StreakRun } from '../../src/rules/types.ts';
import { applied, event, instant, play, posted, program, streakTrigger, system, user } from './build.ts';

const daily = { frequency: 'daily' as const, metrics: [] };

describe('periods', () => {
  it.each([
    ['2026-06-15T23:30Z', 'UTC', 'daily', '2026-06-15', '2026-06-15'],
    ['2026-06-15T23:30Z', 'Asia/Tokyo', 'daily', '2026-06-16', '2026-06-16'],
    ['2026-06-14T23:30Z', 'UTC', 'weekly', '2026-06-08', '2026-06-14'],
    ['2026-06-14T23:30Z', 'Asia/Tokyo', 'weekly', '2026-06-15', '2026-06-21'],
    ['1969-12-31T12:00Z', 'UTC', 'weekly', '1969-12-29', '1970-01-04'],
    ['2024-02-29T12:00Z', 'UTC', 'monthly', '2024-02-01', '2024-02-29'],
    ['2026-12-31T23:30Z', 'Asia/Tokyo', 'monthly', '2027-01-01', '2027-01-31'],
  ] as const)('%s in %s, %s: %s to %s', (at, zone, frequency, start, end) => {
    expect(daysOf(periodOf(instant(at), zone, frequency), frequency)).toEqual({ start, end });
  });

  it('each is one more than the one before, over clock changes, leap days and turns of years', () => {
    for (const frequency of ['daily', 'weekly', 'monthly'] as const) {
      const first = periodOf(instant('2023-12-20T12:00Z'), 'Europe/Berlin', frequency);
      for (let period = first; period < first + 80; period += 1) {
        const { start, end } = daysOf(period, frequency);
        expect(periodOf(instant(`${start}T12:00Z`), 'Europe/Berlin', frequency)).toBe(period);
        expect(periodOf(instant(`${end}T12:00Z`), 'Europe/Berlin', frequency)).toBe(period);
        expect(daysOf(period + 1, frequency).start > end).toBe(true);
      }
    }
  });
});

/** Runs of a set of periods, by their definition. */
function runsOf(periods: readonly number[]): StreakRun[] {
  const runs: StreakRun[] = [];
  for (const period of [...new Set(periods)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.last === period - 1) runs[runs.length - 1] = { first: last.first, last: period };
    else runs.push({ first: period, last: period });
  }
  return runs;
}

describe('runs', () => {
  it.each([
    [[], 5, [], { first: 5, last: 5 }],
    [[{ first: 3, last: 4 }], 5, [{ first: 3, last: 4 }], { first: 3, last: 5 }],
    [[{ first: 6, last: 8 }], 5, [{ first: 6, last: 8 }], { first: 5, last: 8 }],
    [
      [
        { first: 6, last: 8 },
        { first: 1, last: 4 },
      ],
      5,
      [
        { first: 1, last: 4 },
        { first: 6, last: 8 },
      ],
      { first: 1, last: 8 },
    ],
    [[{ first: 3, last: 9 }], 5, [{ first: 3, last: 9 }], { first: 3, last: 9 }],
    [[{ first: 7, last: 9 }], 5, [], { first: 5, last: 5 }],
  ])('%j with %i', (runs, period, before, after) => {
    expect(extend(runs, period)).toEqual({ period, before, after });
  });

  it('come out the same, and pay the same, in whatever order periods come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (periods, length) => {
          let runs: StreakRun[] = [];
          let paid = 0n;
          for (const period of periods) {
            const change = extend(runs, period);
            expect(isExtended(change)).toBe(!runs.some(({ first, last }) => first <= period && period <= last));
            paid += multiplesPassed(change, length);
            runs = [...runs.filter((run) => !change.before.includes(run)), change.after];
          }
          const must = runsOf(periods);
          expect(runs.toSorted((a, b) => a.first - b.first)).toEqual(must);
          expect(paid).toBe(must.reduce((sum, run) => sum + BigInt(Math.floor(lengthOf(run) / length)), 0n));
        },
      ),
    );
  });
});

describe('a streak trigger', () => {
  const rules = program(system([streakTrigger(3, 50)]), 'UTC', { streak: daily });
  const day = (date: string, value = 1) => event(value, {}, `${date}T12:00Z`);

  it('fires for each three days that the streak grows by', () => {
    const days = ['2026-06-01', '2026-06-02', '2026-06-02', '2026-06-03', '2026-06-04', '2026-06-05', '2026-06-06'];
    const { decisions } = play(
      rules,
      user(),
      days.map((date) => day(date)),
    );
    expect(decisions.map(posted)).toEqual([0n, 0n, 0n, 50n, 0n, 0n, 50n]);
    expect(applied(decisions[1]!).notFired).toMatchObject([{ why: 'streak_too_short' }]);
    expect(applied(decisions[2]!).notFired).toEqual([]);
  });

  it('fires when a late event joins what was apart', () => {
    const days = ['2026-06-01', '2026-06-02', '2026-06-04', '2026-06-05', '2026-06-06', '2026-06-03'];
    const { decisions } = play(
      rules,
      user(),
      days.map((date) => day(date)),
    );
    expect(decisions.map(posted)).toEqual([0n, 0n, 0n, 0n, 50n, 50n]);
  });

  it.each([
    ['0', 0],
    ['below 0', -1],
  ])('an event of value %s keeps no streak going', (_, value) => {
    expect(applied(decide(rules, user(), day('2026-06-01', value))).streak).toBeNull();
  });

  it('nor does one of another metric than those that count', () => {
    const other = program(system([streakTrigger(1, 50)]), 'UTC', {
      streak: { ...daily, metrics: [{ id: 'commits', key: 'commits' }] },
    });
    expect(applied(decide(other, user(), day('2026-06-01')))).toMatchObject({ streak: null, fired: [], notFired: [] });
  });

  it('days are those of the zone in force, or else the project', () => {
    const night = event(1, {}, '2026-06-15T23:30Z');
    const period = (decision: ReturnType<typeof decide>) => daysOf(applied(decision).streak!.period, 'daily').start;
    expect(period(decide(rules, user(), night))).toBe('2026-06-15');
    expect(period(decide(rules, user({ zone: 'Asia/Tokyo' }), night))).toBe('2026-06-16');
    expect(applied(decide(rules, user({ zone: 'Asia/Tokyo' }), night)).zone).toBe('Asia/Tokyo');
  });
});
