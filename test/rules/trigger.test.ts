import { describe, expect, it } from '@jest/globals';
import { decide } from '../../src/rules/decide.ts';
import { formatDecimal } from '../../src/rules/decimal.ts';
import type { NotFired } from '../../src/rules/decision.ts';
import type { Attributes, Trigger, UserState } from '../../src/rules/types.ts';
import { applied, counter, event, play, posted, program, system, trigger, user, type Written } from './build.ts';

const OFF = { active: false };
const EASY = { mode: 'easy' };
const HARD = { mode: 'hard' };
const PRO = { plan: 'pro' };
const OWN_OF_3 = trigger(3, 5, { event: HARD });

/** What each of the values earns one after another. */
function earnings(rules: Trigger, values: readonly Written[], start: UserState = user()): number[] {
  const events = values.map((value) => event(value));
  return play(program(system([rules])), start, events).decisions.map((decision) => Number(posted(decision)));
}

describe('a threshold', () => {
  it.each<[string, Trigger, Written[], number[]]>([
    ['pays at the event that reaches it', trigger(10, 5), [9, 1, 1], [0, 5, 0]],
    ['pays on the exact boundary', trigger(10, 5), [10], [5]],
    ['does not pay one billionth before it', trigger(10, 5), ['9.999999999', '0.000000001'], [0, 5]],
    ['pays every time it is passed again', trigger(3, 10), [3, 3, 3], [10, 10, 10]],
    ['of one pays every unit', trigger(1, 2), [1, 2, 3], [2, 4, 6]],
    ['passed several times in one event pays for each', trigger(10, 5), [35], [15]],
    ['keeps the remainder for the next event', trigger(10, 5), [7, 7, 7], [0, 5, 5]],
    ['keeps a remainder of fraction digits', trigger(1, 1), ['0.4', '0.4', '0.4'], [0, 0, 1]],
    ['of a half pays twice a unit', trigger('0.5', 1), [1, '0.25', '0.25'], [2, 0, 1]],
    ['with fraction digits is compared exactly', trigger('0.1', 1), ['0.1', '0.1', '0.1'], [1, 1, 1]],
    ['of 2.5 pays at 2.5, 5 and 7.5', trigger('2.5', 4), [2, 1, 2, 2, 1], [0, 4, 4, 0, 4]],
    ['of the smallest decimal counts billionths', trigger('0.000000001', 1), ['0.000000007'], [7]],
    ['above every total never pays', trigger('999999999999999999', 1), ['999999999999999998'], [0]],
    ['is not reached by an event of zero', trigger(1, 1), [0, 0], [0, 0]],
    ['is not reached by a negative event', trigger(1, 1), [-5], [0]],
    ['counts from zero, not from the lowest total', trigger(10, 5), [-5, 10, 5], [0, 0, 5]],
    ['pays nothing twice when the total falls and rises', trigger(10, 5), [10, -1, 1], [5, 0, 0]],
    ['pays nothing for a loop of plus and minus', trigger(1, 1), [1, -1, 1, -1, 1, -1, 1], [1, 0, 0, 0, 0, 0, 0]],
    ['pays again only above the highest total', trigger(10, 5), [25, -20, 20, 5], [10, 0, 0, 5]],
    ['pays for what a rise adds to the highest total', trigger(10, 5), [15, -10, 20], [5, 0, 5]],
    ['is judged on the highest total, not on the last', trigger(10, 5), [19, -9, 9, 1], [5, 0, 0, 5]],
    ['of a deduction takes at every passing', trigger(5, -2, { onFloor: 'allow' }), [4, 6], [0, -4]],
  ])('%s', (_title, rules, values, amounts) => {
    expect(earnings(rules, values)).toEqual(amounts);
  });

  it.each<[string, Written, Written, Trigger, Written, number]>([
    ['is the one users see: 9 of 10', 9, 9, trigger(10, 5), 1, 5],
    ['in force pays nothing for totals before it existed', 95, 95, trigger(10, 5), 4, 0],
    ['edited to a smaller one pays only what comes', 95, 95, trigger(3, 1), 1, 1],
    ['edited to a larger one pays at its own boundary', 95, 95, trigger(50, 1), 5, 1],
    ['is not reached below an earlier high', 20, 95, trigger(10, 5), 70, 0],
    ['is reached above an earlier high', 20, 95, trigger(10, 5), 80, 5],
    ['is not reached from below zero', -8, 0, trigger(10, 5), 17, 0],
    ['is reached from below zero once the total is there', -8, 0, trigger(10, 5), 18, 5],
    ['is exact at the end of the range', '999999999999999998', '999999999999999998', trigger(1, 1), 1, 1],
  ])('%s', (_title, total, high, rules, value, amount) => {
    expect(earnings(rules, [value], user({ counter: counter(total, high) }))).toEqual([amount]);
  });

  it('passed several times makes one entry', () => {
    const { fired, systems } = applied(decide(program(system([trigger(10, 5)])), user(), event(35)));
    expect(fired).toEqual([
      {
        triggerId: 't1',
        systemId: 'xp',
        fires: 3n,
        base: 15n,
        boosts: [],
        product: '1',
        rounding: 'down',
        boosted: 15n,
        room: null,
        amount: 15n,
        withheld: 0n,
        balanceAfter: 15n,
        version: 1n,
      },
    ]);
    expect(systems).toEqual([
      {
        systemId: 'xp',
        before: { balance: 0n, earned: 0n, version: 0n },
        after: { balance: 15n, earned: 15n, version: 1n },
        levelBefore: null,
        levelAfter: null,
      },
    ]);
  });
});

describe('a total', () => {
  it.each<[string, Written[], string, string]>([
    ['is the sum of the values', [1, 2, '3.5'], '6.5', '6.5'],
    ['goes below zero and its high-water mark does not', [-3], '-3', '0'],
    ['falls while its high-water mark stays', [8, -3], '5', '8'],
    ['rises to its high-water mark without moving it', [8, -3, 3], '8', '8'],
    ['moves its high-water mark when it passes it', [8, -3, 4], '9', '9'],
    ['of one tenth ten times is one', Array(10).fill('0.1'), '1', '1'],
  ])('%s', (_title, values, total, high) => {
    const { state } = play(
      program(system([])),
      user(),
      values.map((value) => event(value)),
    );
    expect([formatDecimal(state.counter.total), formatDecimal(state.counter.high)]).toEqual([total, high]);
  });
});

describe('filters', () => {
  it.each<[string, Trigger, Attributes, Attributes, number]>([
    ['an event with the attribute counts', trigger(1, 5, { event: HARD }), {}, HARD, 5],
    ['an event with more attributes counts', trigger(1, 5, { event: HARD }), {}, { ...HARD, lesson: '7' }, 5],
    ['an event without the attribute does not', trigger(1, 5, { event: HARD }), {}, {}, 0],
    ['an event with another value does not', trigger(1, 5, { event: HARD }), {}, EASY, 0],
    ['all event attributes must match', trigger(1, 5, { event: { ...HARD, lesson: '7' } }), {}, HARD, 0],
    ['upper and lower case differ', trigger(1, 5, { event: HARD }), {}, { mode: 'Hard' }, 0],
    ['white space differs', trigger(1, 5, { event: HARD }), {}, { mode: 'hard ' }, 0],
    ['an empty value is a value', trigger(1, 5, { event: { mode: '' } }), {}, { mode: '' }, 5],
    ['an empty value is not a missing one', trigger(1, 5, { event: { mode: '' } }), {}, {}, 0],
    ['composed and decomposed letters differ', trigger(1, 5, { event: { mode: 'é' } }), {}, { mode: 'e\u0301' }, 0],
    ['a user with the attribute earns', trigger(1, 5, { user: PRO }), PRO, {}, 5],
    ['a user without the attribute does not', trigger(1, 5, { user: PRO }), {}, {}, 0],
    ['a user with another value does not', trigger(1, 5, { user: PRO }), { plan: 'free' }, {}, 0],
    ['all user attributes must match', trigger(1, 5, { user: { ...PRO, team: 'a' } }), PRO, {}, 0],
    ['an event attribute is not a user attribute', trigger(1, 5, { user: PRO }), {}, PRO, 0],
    ['a user attribute is not an event attribute', trigger(1, 5, { event: PRO }), PRO, {}, 0],
    ['user and event must both match', trigger(1, 5, { user: PRO, event: HARD }), PRO, HARD, 5],
    ['a key that every object has is a missing one', trigger(1, 5, { user: { toString: 'x' } }), {}, {}, 0],
  ])('%s', (_title, rules, userAttributes, eventAttributes, amount) => {
    const state = user({ attributes: userAttributes });
    expect(Number(posted(decide(program(system([rules])), state, event(1, eventAttributes))))).toBe(amount);
  });

  it.each<[string, Trigger, string, number[]]>([
    // values one after another, each with its mode
    ['only matching events count', OWN_OF_3, '2 hard, 5 easy, 1 hard', [0, 0, 5]],
    ['other events leave the remainder', OWN_OF_3, '2 hard, 1 easy, 2 hard', [0, 0, 5]],
    ['the own counter has a high-water mark', OWN_OF_3, '3 hard, -3 hard, 3 hard', [5, 0, 0]],
    ['what other events take is not seen', OWN_OF_3, '3 hard, -3 easy, 3 hard', [5, 0, 5]],
    ['user filters alone count all events', trigger(3, 5, { user: PRO }), '2 hard, 1 easy', [0, 5]],
  ])('%s', (_title, rules, values, amounts) => {
    const list = values.split(', ').map((one) => {
      const [value = '', mode = ''] = one.split(' ');
      return event(value, { mode });
    });
    const { decisions } = play(program(system([rules])), user({ attributes: PRO }), list);
    expect(decisions.map((decision) => Number(posted(decision)))).toEqual(amounts);
  });
});

describe('a trigger that could not pay', () => {
  const all = trigger(10, 5);
  const hard = trigger(10, 5, { event: HARD });
  const pro = trigger(10, 5, { user: PRO });
  const hardPro = trigger(10, 5, { event: HARD, user: PRO });
  it.each<[string, Trigger, [Written, Attributes], Trigger, [Written, Attributes], number]>([
    // as it was, an event, as it is now, another event → what that one earns
    ['pays nothing for the past when activated', { ...all, ...OFF }, [95, {}], all, [4, {}], 0],
    ['loses no remainder when activated', { ...all, ...OFF }, [95, {}], all, [5, {}], 5],
    ['counts its own events while inactive', { ...hard, ...OFF }, [9, HARD], hard, [1, HARD], 5],
    ['pays no own events of the past', { ...hard, ...OFF }, [30, HARD], hard, [1, HARD], 0],
    ['counts while the user does not match', pro, [9, {}], all, [1, {}], 5],
    ['pays nothing for before the user matched', pro, [30, {}], all, [1, {}], 0],
    ['counts its own while the user does not match', hardPro, [9, HARD], hard, [1, HARD], 5],
    ['given filters later, counts from then on', all, [9, HARD], hard, [1, HARD], 0],
    ['freed of filters later, uses the total', hard, [9, EASY], all, [1, EASY], 5],
  ])('%s', (_title, before, past, after, now, amount) => {
    const { state } = play(program(system([before])), user(), [event(...past)]);
    expect(Number(posted(decide(program(system([after])), state, event(...now))))).toBe(amount);
  });

  const hardAndSeven = trigger(1, 5, { event: { ...HARD, lesson: '7' } });
  const own = { before: counter(0), after: counter(1) };
  it.each<[string, Trigger, Attributes, Omit<NotFired, 'triggerId' | 'systemId'>]>([
    ['says when it is inactive', trigger(1, 5, OFF), {}, { why: 'inactive' }],
    ['says what counted while inactive', { ...hard, ...OFF }, HARD, { why: 'inactive', counter: own }],
    ['says which event attribute failed', hardAndSeven, HARD, { why: 'event_attributes', clause: 'lesson' }],
    ['says which user attribute failed', pro, {}, { why: 'user_attributes', clause: 'plan' }],
    ['says what counted if the user failed', hardPro, HARD, { why: 'user_attributes', clause: 'plan', counter: own }],
    ['says when the threshold is not reached', trigger(2, 5), {}, { why: 'below_threshold' }],
    ['says how far its own counter came', hard, HARD, { why: 'below_threshold', counter: own }],
    ['names the event before its own state', { ...hardPro, ...OFF }, EASY, { why: 'event_attributes', clause: 'mode' }],
    ['names its own state before the user', { ...pro, ...OFF }, {}, { why: 'inactive' }],
  ])('%s', (_title, rules, attributes, why) => {
    const { fired, notFired, systems } = applied(decide(program(system([rules])), user(), event(1, attributes)));
    expect({ fired, notFired, systems }).toEqual({
      fired: [],
      notFired: [{ triggerId: 't1', systemId: 'xp', ...why }],
      systems: [],
    });
  });
});

describe('several triggers', () => {
  const rules = program([
    system([trigger(1, 10, { id: 'a' }), trigger(2, 7, { id: 'b' }), trigger(1, -3, { id: 'c' })]),
    system([trigger(1, 1, { id: 'd' }), trigger(1, 5, { id: 'e', metricId: 'minutes' })], { id: 'coins' }),
  ]);

  it('fire in their order, each on the balance the one before left', () => {
    const { fired } = applied(decide(rules, user(), event(2)));
    expect(fired.map((one) => [one.triggerId, one.amount, one.balanceAfter, one.version])).toEqual([
      ['a', 20n, 20n, 1n],
      ['b', 7n, 27n, 2n],
      ['c', -6n, 21n, 3n],
      ['d', 2n, 2n, 1n],
    ]);
  });

  it('of another metric are not mentioned', () => {
    const { fired, notFired } = applied(decide(rules, user(), event(1)));
    expect([...fired, ...notFired].map(({ triggerId }) => triggerId)).not.toContain('e');
  });

  it('change only the systems they belong to', () => {
    const { systems } = applied(decide(rules, user({ balance: 100 }), event(1)));
    expect(systems.map(({ systemId, before, after }) => [systemId, before.balance, after.balance])).toEqual([
      ['xp', 100n, 107n],
      ['coins', 0n, 1n],
    ]);
  });
});

describe('a decision', () => {
  const rules = program(
    system([
      trigger(1, 1, { user: PRO }),
      trigger(1, 1, { user: { team: 'a', city: 'b' } }),
      trigger(1, 1, { ...OFF, user: { age: '9' } }),
    ]),
  );

  it('keeps the user attributes that filters asked for, in order, and no others', () => {
    const state = user({ attributes: { plan: 'pro', email: 'a@b.c' } });
    const { consulted } = applied(decide(rules, state, event(1)));
    expect(Object.entries(consulted)).toEqual([
      ['city', null],
      ['plan', 'pro'],
      ['team', null],
    ]);
  });

  it('keeps an attribute as missing whose key every object has', () => {
    const odd = program(system([trigger(1, 1, { user: { constructor: 'x' } as unknown as Attributes })]));
    expect(applied(decide(odd, user(), event(1))).consulted).toEqual({ constructor: null });
  });

  it('names the version of the program it was made from', () => {
    expect(decide({ ...rules, version: 7 }, user(), event(1)).programVersion).toBe(7);
  });

  it('changes nothing it was given', () => {
    const state = user({ attributes: PRO });
    const copy = structuredClone(state);
    decide(rules, state, event(1));
    expect(state).toEqual(copy);
  });
});
