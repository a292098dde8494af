import { describe, expect, it } from '@jest/globals';
import { decide } from '../../src/rules/decide.ts';
import type { Refused } from '../../src/rules/decision.ts';
import { POINTS_LIMIT, type Trigger } from '../../src/rules/types.ts';
import {
  account,
  applied,
  boost,
  counter,
  event,
  play,
  posted,
  program,
  refused,
  system,
  trigger,
  user,
} from './build.ts';

describe('the cap', () => {
  it.each<[string, number, number, number[], number[], number[], number]>([
    // cap, balance before, awards → amounts, withheld, balance after
    ['leaves an award below it alone', 100, 50, [30], [30], [0], 80],
    ['lets a balance reach it', 100, 50, [50], [50], [0], 100],
    ['cuts an award that would pass it', 100, 50, [80], [50], [30], 100],
    ['withholds all at the cap', 100, 100, [5], [0], [5], 100],
    ['never takes from a balance above it', 100, 250, [5], [0], [5], 250],
    ['counts what earlier triggers gave', 100, 90, [7, 7, 7], [7, 3, 0], [0, 4, 7], 100],
    ['makes room again after a deduction', 100, 100, [5, -10, 5], [0, -10, 5], [5, 0, 0], 95],
    ['does not hold for deductions', 100, 250, [-10], [-10], [0], 240],
    ['has room below zero', 10, -20, [50], [30], [20], 10],
  ])('%s', (_title, max, balance, points, amounts, withheld, after) => {
    const rules = program(
      system(
        points.map((one) => trigger(1, one)),
        { max },
      ),
    );
    const { fired, systems } = applied(decide(rules, user({ balance }), event(1)));
    expect(fired.map(({ amount }) => Number(amount))).toEqual(amounts);
    expect(fired.map((one) => Number(one.withheld))).toEqual(withheld);
    expect(Number(systems[0]?.after.balance)).toBe(after);
  });

  it('comes after boosts', () => {
    const rules = program(system([trigger(1, 10)], { max: 25, boosts: [boost(3)] }));
    expect(applied(decide(rules, user(), event(1))).fired[0]).toMatchObject({
      base: 10n,
      boosted: 30n,
      room: 25n,
      amount: 25n,
      withheld: 5n,
    });
  });

  it('makes no entry of an award withheld in full and still tells of it', () => {
    const rules = program(system([trigger(1, 5)], { max: 10 }));
    const { fired, systems } = applied(decide(rules, user({ balance: 10 }), event(1)));
    expect(fired[0]).toMatchObject({ amount: 0n, withheld: 5n, room: 0n, balanceAfter: 10n, version: null });
    expect(systems[0]?.after).toEqual(account(10));
  });

  it('does not count what it withheld as earned', () => {
    const { systems } = applied(decide(program(system([trigger(1, 50)], { max: 30 })), user(), event(1)));
    expect(systems[0]?.after).toEqual({ balance: 30n, earned: 30n, version: 1n });
  });

  it('keeps an award of any size within it from being refused', () => {
    const rules = program(system([trigger('0.000000001', POINTS_LIMIT)], { max: 10 }));
    expect(posted(decide(rules, user(), event('999999999999999999')))).toBe(10n);
  });
});

it('an award that boosts round to nothing makes no entry and withholds nothing', () => {
  const rules = program(system([trigger(1, 1)], { boosts: [boost('0.5')] }));
  expect(applied(decide(rules, user(), event(1))).fired[0]).toMatchObject({ amount: 0n, withheld: 0n, version: null });
});

describe('the floor', () => {
  const REFUSE = { onFloor: 'refuse' } as const;
  const CLAMP = { onFloor: 'clamp' } as const;
  const ALLOW = { onFloor: 'allow' } as const;

  it.each<[string, number | null, number, Trigger, number | 'OUT_OF_POINTS']>([
    ['lets a deduction above it be', 0, 10, trigger(1, -4, REFUSE), 6],
    ['may be reached', 0, 10, trigger(1, -10, REFUSE), 0],
    ['refuses a deduction that would pass it', 0, 10, trigger(1, -11, REFUSE), 'OUT_OF_POINTS'],
    ['refuses a deduction at it', 0, 0, trigger(1, -1, REFUSE), 'OUT_OF_POINTS'],
    ['refuses a deduction below it', 0, -5, trigger(1, -1, REFUSE), 'OUT_OF_POINTS'],
    ['may be above zero', 5, 10, trigger(1, -6, REFUSE), 'OUT_OF_POINTS'],
    ['may be below zero', -5, 0, trigger(1, -5, REFUSE), -5],
    ['below zero refuses too', -5, 0, trigger(1, -6, REFUSE), 'OUT_OF_POINTS'],
    ['shortens a deduction', 0, 10, trigger(1, -11, CLAMP), 0],
    ['shortens a deduction to nothing', 0, 0, trigger(1, -11, CLAMP), 0],
    ['never adds to a balance below it', 0, -5, trigger(1, -1, CLAMP), -5],
    ['leaves a short deduction alone', 0, 10, trigger(1, -3, CLAMP), 7],
    ['is passed where the trigger allows it', 0, 10, trigger(1, -11, ALLOW), -1],
    ['is not there for a system without one', null, 0, trigger(1, -11, ALLOW), -11],
    ['does not hold back an award below it', 0, -20, trigger(1, 5, REFUSE), -15],
  ])('%s', (_title, min, balance, rules, after) => {
    const decision = decide(program(system([rules], { min })), user({ balance }), event(1));
    const result = decision.outcome === 'refused' ? decision.code : Number(decision.systems[0]?.after.balance);
    expect(result).toBe(after);
  });

  it('is not passed even once by an event of several fires', () => {
    expect(refused(decide(program(system([trigger(1, -4)])), user({ balance: 10 }), event(3)))).toEqual({
      outcome: 'refused',
      code: 'OUT_OF_POINTS',
      programVersion: 1,
      detail: { system: 'xp', trigger: 't1', balance: '10', needed: '12' },
    });
  });

  it('tells what it withheld as a negative number', () => {
    const { fired } = applied(decide(program(system([trigger(1, -11, CLAMP)])), user({ balance: 4 }), event(1)));
    expect(fired[0]).toMatchObject({ base: -11n, boosted: -11n, room: 4n, amount: -4n, withheld: -7n });
  });

  it('is judged after what earlier triggers of the event gave', () => {
    const [give, take] = [trigger(1, 5), trigger(1, -5)];
    expect(decide(program(system([give, take])), user(), event(1)).outcome).toBe('applied');
    expect(decide(program(system([take, give])), user(), event(1)).outcome).toBe('refused');
  });

  it('leaves nothing of an event it refuses, in any system', () => {
    const rules = program([
      system([trigger(1, 50)], { id: 'coins' }),
      system([trigger(1, 7), trigger(1, 3, { event: { mode: 'hard' } }), trigger(1, -21)]),
    ]);
    const start = user({ balance: 10, counter: counter(4) });
    const { state, decisions } = play(rules, start, [event(1, { mode: 'hard' })]);
    expect(decisions[0]).toMatchObject({ outcome: 'refused', code: 'OUT_OF_POINTS' });
    expect(state).toEqual(start);
  });

  it('lets the same event pass once there are points', () => {
    const rules = program(system([trigger(1, -5)]));
    expect(decide(rules, user({ balance: 4 }), event(1)).outcome).toBe('refused');
    expect(posted(decide(rules, user({ balance: 5 }), event(1)))).toBe(-5n);
  });

  it('of a trigger that refuses is zero in a system without one', () => {
    const rules = program(system([trigger(1, -5, REFUSE)], { min: null }));
    expect(decide(rules, user({ balance: 4 }), event(1)).outcome).toBe('refused');
  });
});

describe('the range', () => {
  const LAST = '999999999999999999.999999999';
  type Refusal = Pick<Refused, 'code' | 'detail'>;
  const total = (totalBefore: string, value: string): Refusal => ({
    code: 'TOTAL_OUT_OF_RANGE',
    detail: { totalBefore, value },
  });

  it.each<[string, string, string, Refusal | string]>([
    ['of a total ends below 10^18', '999999999999999998', '1.999999999', LAST],
    ['of a total excludes 10^18', '999999999999999999', '1', total('999999999999999999', '1')],
    ['of a total ends above −10^18', '-999999999999999998', '-1.999999999', `-${LAST}`],
    ['of a total excludes −10^18', '-999999999999999999', '-1', total('-999999999999999999', '-1')],
    ['of a total is exact to the last digit', LAST, '0.000000001', total(LAST, '0.000000001')],
    ['of a total may be crossed from end to end', LAST, `-${LAST}`, '0'],
  ])('%s', (_title, before, value, result) => {
    const decision = decide(program(system([])), user({ counter: counter(before) }), event(value));
    if (typeof result === 'string') expect(applied(decision).counter.after.total).toBe(counter(result).total);
    else expect(decision).toMatchObject({ outcome: 'refused', ...result });
  });

  it('holds for the own counter of a trigger too', () => {
    const hard = { mode: 'hard' };
    const state = user({ triggerCounters: new Map([['t1', counter(LAST)]]) });
    const decision = decide(program(system([trigger(1, 1, { event: hard })])), state, event(1, hard));
    expect(decision).toMatchObject({ outcome: 'refused', ...total(LAST, '1') });
  });

  const top = POINTS_LIMIT;
  it.each<[string, bigint, bigint, bigint, bigint | 'BALANCE_OUT_OF_RANGE']>([
    // balance, earned, points → balance after
    ['of a balance includes 2^53 − 1', top - 1n, top - 1n, 1n, top],
    ['of a balance excludes 2^53', top, top, 1n, 'BALANCE_OUT_OF_RANGE'],
    ['of a balance includes −(2^53 − 1)', 1n - top, 0n, -1n, -top],
    ['of a balance excludes −2^53', -top, 0n, -1n, 'BALANCE_OUT_OF_RANGE'],
    ['of points earned includes 2^53 − 1', 0n, top - 5n, 5n, 5n],
    ['of points earned excludes 2^53', 0n, top - 5n, 6n, 'BALANCE_OUT_OF_RANGE'],
    ['is crossed by one award of everything', 0n, 0n, top, top],
    ['is not crossed by more', 0n, 0n, top + 1n, 'BALANCE_OUT_OF_RANGE'],
  ])('%s', (_title, balance, earned, points, after) => {
    const state = user({ accounts: new Map([['xp', account(balance, earned)]]) });
    const decision = decide(program(system([trigger(1, points, { onFloor: 'allow' })])), state, event(1));
    expect(decision.outcome === 'refused' ? decision.code : decision.systems[0]?.after.balance).toBe(after);
  });

  it('is left by boosts as by anything else', () => {
    const rules = program(system([trigger(1, POINTS_LIMIT)], { boosts: [boost(2)] }));
    expect(refused(decide(rules, user(), event(1)))).toEqual({
      outcome: 'refused',
      code: 'BALANCE_OUT_OF_RANGE',
      programVersion: 1,
      detail: { system: 'xp', trigger: 't1', balance: '0', amount: (2n * POINTS_LIMIT).toString() },
    });
  });

  it('refuses the largest event at the smallest threshold instead of rounding it', () => {
    const decision = decide(program(system([trigger('0.000000001', 1)])), user(), event(LAST));
    expect(refused(decision).detail).toMatchObject({ amount: '999999999999999999999999999' });
  });
});
