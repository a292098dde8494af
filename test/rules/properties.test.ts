import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/rules/decide.ts';
import { DECIMAL_ONE, type Decimal } from '../../src/rules/decimal.ts';
import type { Applied, Decision } from '../../src/rules/decision.ts';
import type { Boost, Rounding } from '../../src/rules/types.ts';
import {
  account,
  anyBoost,
  anyDecimal,
  anyEvent,
  anyEvents,
  anyProgram,
  anyUser,
  applied,
  boost,
  event,
  evolve,
  play,
  posted,
  program,
  system,
  trigger,
  user,
} from './build.ts';

function run(seed: number, numRuns = 300) {
  return { seed, numRuns };
}

function isApplied(decision: Decision): decision is Applied {
  return decision.outcome === 'applied';
}

describe('any list of events', () => {
  it('ends where its two halves end one after the other', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, fc.nat(), (rules, start, events, number) => {
        const cut = number % (events.length + 1);
        const whole = play(rules, start, events);
        const first = play(rules, start, events.slice(0, cut));
        const second = play(rules, first.state, events.slice(cut));
        expect(second.state).toEqual(whole.state);
        expect([...first.decisions, ...second.decisions]).toEqual(whole.decisions);
      }),
      run(20),
    );
  });

  it('is decided the same way twice', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, (rules, start, events) => {
        const again = structuredClone({ rules, start, events });
        expect(play(again.rules, again.start, again.events)).toEqual(play(rules, start, events));
      }),
      run(21, 100),
    );
  });

  it('changes each balance by the sum of its amounts, in steps without a gap', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, (rules, start, events) => {
        const { state, decisions } = play(rules, start, events);
        const fired = decisions.filter(isApplied).flatMap((decision) => decision.fired);
        for (const { id } of rules.systems) {
          let [balance, earned, version] = [0n, 0n, 0n];
          for (const one of fired.filter(({ systemId }) => systemId === id)) {
            balance += one.amount;
            if (one.amount > 0n) earned += one.amount;
            if (one.amount !== 0n) version += 1n;
            expect(one.balanceAfter).toBe(balance);
            expect(one.version).toBe(one.amount === 0n ? null : version);
            expect(one.boosted).toBe(one.amount + one.withheld);
          }
          expect(state.accounts.get(id) ?? account(0, 0, 0)).toEqual({ balance, earned, version });
        }
      }),
      run(22),
    );
  });

  it('takes no balance above its cap by an award, nor below its floor by a deduction that may not', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, (rules, start, events) => {
        for (const decision of play(rules, start, events).decisions.filter(isApplied)) {
          for (const { systemId, triggerId, amount, base, balanceAfter } of decision.fired) {
            const { maxPoints, minPoints, triggers } = rules.systems.find(({ id }) => id === systemId)!;
            const { onFloor } = triggers.find(({ id }) => id === triggerId)!;
            if (amount > 0n && maxPoints !== null) expect(balanceAfter <= maxPoints).toBe(true);
            if (amount < 0n && minPoints !== null && onFloor !== 'allow') expect(balanceAfter >= minPoints).toBe(true);
            expect(amount === 0n || amount > 0n === base > 0n).toBe(true);
          }
        }
      }),
      run(23),
    );
  });

  it('names every trigger of its metric once an event', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvent, (rules, start, one) => {
        const decision = decide(rules, start, one);
        if (!isApplied(decision)) return;
        const named = [...decision.fired, ...decision.notFired].map(({ triggerId }) => triggerId);
        const triggers = rules.systems.flatMap((each) => each.triggers);
        const concerned = triggers.filter((each) => each.type === 'metric' && each.metricId === one.metricId);
        expect(named.sort()).toEqual(concerned.map(({ id }) => id).sort());
      }),
      run(24),
    );
  });

  it('leaves the state as it was where it is refused', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, (rules, start, events) => {
        let state = start;
        for (const one of events) {
          const before = structuredClone(state);
          const decision = decide(rules, state, one);
          expect(state).toEqual(before);
          state = evolve(state, decision);
        }
      }),
      run(25, 100),
    );
  });
});

describe('farming', () => {
  it('by taking back and sending again never earns', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, anyEvent, (rules, start, events, one) => {
        const { state } = play(rules, start, events);
        const value = one.value < 0n ? -one.value : one.value;
        const loop = Array.from({ length: 4 }, () => [
          { ...one, value: -value },
          { ...one, value },
        ]).flat();
        const end = play(rules, state, loop);
        for (const decision of end.decisions) expect(posted(decision)).toBe(0n);
        expect(end.state.counter).toEqual(state.counter);
      }),
      run(30),
    );
  });

  it('by cutting a value into parts earns no more fires than the whole', () => {
    const cuts = fc.array(anyDecimal(0, 9), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(anyDecimal(1, 5), anyDecimal(0, 9), cuts, (threshold, before, values) => {
        const rules = program(system([trigger(threshold, 3), trigger(threshold, 1, { event: { mode: 'hard' } })]));
        const send = (value: Decimal) => event(value, { mode: 'hard' });
        const start = play(rules, user(), [send(before)]).state;
        const fires = (decisions: readonly Decision[]) =>
          decisions.flatMap((decision) => applied(decision).fired).reduce((sum, one) => sum + one.fires, 0n);
        const whole = values.reduce((sum, value) => sum + value, 0n);
        const parts = play(rules, start, values.map(send)).decisions;
        expect(fires(parts)).toBe(fires(play(rules, start, [send(whole)]).decisions));
      }),
      run(31),
    );
  });

  it('by any route pays the passings of the highest total, and no other', () => {
    const values = fc.array(anyDecimal(-20, 20), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(anyDecimal(1, 5), values, (threshold, list) => {
        const rules = program(system([trigger(threshold, 1)]));
        const events = list.map((value) => event(value));
        const { state, decisions } = play(rules, user(), events);
        let [total, highest, earned] = [0n, 0n, 0n];
        for (const value of list) {
          total += value;
          if (total > highest) highest = total;
        }
        for (const decision of decisions) earned += posted(decision);
        expect(state.counter).toEqual({ total, high: highest });
        expect(earned * threshold <= highest && highest < (earned + 1n) * threshold).toBe(true);
      }),
      run(32),
    );
  });
});

/** Whether `result` is the fraction `numerator / denominator` rounded so, by the definition of each rounding. */
function isRounded(result: bigint, numerator: bigint, denominator: bigint, rounding: Rounding): boolean {
  const excess = result * denominator - numerator;
  if (rounding === 'down') return -denominator < excess && excess <= 0n;
  if (rounding === 'up') return 0n <= excess && excess < denominator;
  return -denominator < 2n * excess && 2n * excess <= denominator;
}

/** A multiplier as a reduced fraction, read from its digits. */
function fractionOf(multiplier: Decimal): [bigint, bigint] {
  let [numerator, denominator] = [multiplier, DECIMAL_ONE];
  for (const prime of [2n, 5n]) {
    while (numerator % prime === 0n && denominator % prime === 0n) {
      [numerator, denominator] = [numerator / prime, denominator / prime];
    }
  }
  return [numerator, denominator];
}

describe('boosts', () => {
  const points = fc.bigInt({ min: 1n, max: 10n ** 12n });
  const multiplier = fc.bigInt({ min: 1n, max: 20n * DECIMAL_ONE });
  const some = fc.array(multiplier, { minLength: 1, maxLength: 3 });
  const rounding = fc.constantFrom<Rounding>('down', 'up', 'nearest');

  it('multiply exactly and are rounded once', () => {
    fc.assert(
      fc.property(points, some, rounding, (base, multipliers, mode) => {
        const boosts = multipliers.map((one, index) => boost(one, { id: `b${index}`, rounding: mode }));
        const fired = applied(decide(program(system([trigger(1, base)], { boosts })), user(), event(1))).fired[0]!;
        const fractions = multipliers.map(fractionOf);
        const numerator = fractions.reduce((product, [over]) => product * over, base);
        const denominator = fractions.reduce((product, [, under]) => product * under, 1n);
        expect(isRounded(fired.amount, numerator, denominator, mode)).toBe(true);
      }),
      run(40, 500),
    );
  });

  it('never multiply beyond the ceiling', () => {
    fc.assert(
      fc.property(points, some, anyDecimal(1, 9), (base, multipliers, ceiling) => {
        const boosts = multipliers.map((one, index) => boost(one, { id: `b${index}` }));
        const amount = posted(decide(program(system([trigger(1, base)], { boosts, ceiling })), user(), event(1)));
        expect(amount * DECIMAL_ONE <= base * ceiling).toBe(true);
      }),
      run(41),
    );
  });

  it('do not depend on their order', () => {
    const pair = fc
      .array(anyBoost, { maxLength: 5 })
      .chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
      );
    fc.assert(
      fc.property(points, pair, fc.option(anyDecimal(1, 9)), anyEvent, (base, [boosts, shuffled], ceiling, one) => {
        const award = (list: readonly Boost[]) => {
          const rules = program(system([trigger('0.000000001', base)], { boosts: list, ceiling, max: 10n ** 30n }));
          const decision = decide(rules, user({ attributes: { plan: 'pro' } }), { ...one, value: 1n });
          const { boosts: used, ...fired } = applied(decision).fired[0]!;
          return { ...fired, used: used.map(({ id }) => id).sort() };
        };
        expect(award(shuffled)).toEqual(award(boosts));
      }),
      run(42),
    );
  });

  it('change no deduction', () => {
    fc.assert(
      fc.property(points, fc.array(anyBoost, { maxLength: 4 }), (base, boosts) => {
        const take = trigger(1, -base, { onFloor: 'allow' });
        expect(posted(decide(program(system([take], { boosts })), user(), event(1)))).toBe(-base);
      }),
      run(43, 100),
    );
  });
});
