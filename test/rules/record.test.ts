import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/rules/decide.ts';
import { readProgram, writeProgram } from '../../src/rules/program.ts';
import { type DecisionRecord, fromRecord, toRecord } from '../../src/rules/record.ts';
import type { MetricEvent, Program, System, UserBoost, UserState } from '../../src/rules/types.ts';
import {
  anyEvents,
  anyProgram,
  anyUser,
  applied,
  boost,
  dates,
  event,
  level,
  ownBoost,
  play,
  program,
  recall,
  system,
  trigger,
  user,
} from './build.ts';

const PRO = { plan: 'pro' };
const HARD = { mode: 'hard' };

/** As it comes back from a column of JSON. */
function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

function recordOf(rules: System, state: UserState, one: MetricEvent): DecisionRecord {
  return stored(toRecord(applied(decide(program(rules), state, one))));
}

describe('the record of a decision', () => {
  const unversioned = { trigger: 't1', system: 'xp', fires: '1', base: '5', amount: '5', balance: '5' };
  const plain = { ...unversioned, version: '1' };
  const xp = { system: 'xp', before: ['0', '0', '0'], after: ['5', '5', '1'] };

  it.each<[string, System, UserState, MetricEvent, DecisionRecord]>([
    ['of nothing is empty', system([]), user(), event(1), {}],
    [
      'leaves out what is as usual',
      system([trigger(1, 5)]),
      user(),
      event(1),
      { fired: [plain], systems: [xp] } as DecisionRecord,
    ],
    [
      'says why a trigger did not fire',
      system([trigger(2, 5, { user: PRO })]),
      user(),
      event(1),
      { not: [{ trigger: 't1', system: 'xp', why: 'user_attributes', clause: 'plan' }], user: { plan: null } },
    ],
    [
      'keeps an own counter as four numbers',
      system([trigger(2, 5, { event: HARD })]),
      user(),
      event('1.5', HARD),
      { not: [{ trigger: 't1', system: 'xp', why: 'below_threshold', counter: ['0', '0', '1.5', '1.5'] }] },
    ],
    [
      'keeps boosts, product, rounding, cap room and what was withheld',
      system([trigger(1, 5)], { max: 12, boosts: [boost('1.5', { rounding: 'up' }), boost(2, { rounding: 'up' })] }),
      user(),
      event(1),
      {
        fired: [
          {
            ...plain,
            boosts: [
              ['x1.5', '1.5'],
              ['x2', '2'],
            ],
            product: '3',
            rounding: 'up',
            boosted: '15',
            room: '12',
            amount: '12',
            withheld: '3',
            balance: '12',
          },
        ],
        systems: [{ system: 'xp', before: ['0', '0', '0'], after: ['12', '12', '1'] }],
      },
    ],
    [
      'keeps levels where there are any',
      system([trigger(1, 5)], { levels: [level('bronze', 5)] }),
      user(),
      event(1),
      { fired: [plain], systems: [{ ...xp, levels: [null, 'bronze'] }] } as DecisionRecord,
    ],
    [
      'keeps a level that was lost',
      system([trigger(1, -5)], { levels: [level('bronze', 5)] }),
      user({ balance: 5 }),
      event(1),
      {
        fired: [{ ...plain, base: '-5', room: '5', amount: '-5', balance: '0', version: '2' }],
        systems: [{ system: 'xp', before: ['5', '5', '1'], after: ['0', '5', '2'], levels: ['bronze', null] }],
      },
    ],
    [
      'has no version for an award that made no entry',
      system([trigger(1, 5)], { max: 5 }),
      user({ balance: 5 }),
      event(1),
      {
        fired: [{ ...unversioned, room: '0', amount: '0', withheld: '5' }],
        systems: [{ system: 'xp', before: ['5', '5', '1'], after: ['5', '5', '1'] }],
      },
    ],
  ])('%s', (_title, rules, state, one, record) => {
    expect(recordOf(rules, state, one)).toEqual(record);
  });

  it('keeps attributes and zone that were consulted', () => {
    const rules = system([trigger(1, 5, { user: PRO })], { boosts: [boost(2, { window: dates('2026-06-15', null) })] });
    const state = user({ attributes: { ...PRO, email: 'a@b.c' }, zone: 'Asia/Tokyo' });
    expect(recordOf(rules, state, event(1))).toMatchObject({ user: PRO, zone: 'Asia/Tokyo' });
  });

  it('says that the user’s own boosts applied', () => {
    const state = user({ boosts: [ownBoost('1.5', { exclusive: true })] });
    expect(recordOf(system([trigger(1, 5)]), state, event(1)).boosts).toMatchObject([
      { id: 'own-x1.5', system: 'xp', multiplier: '1.5', rounding: 'down', exclusive: true },
    ]);
  });

  it('is read back as the decision it was written from', () => {
    fc.assert(
      fc.property(anyProgram, anyUser, anyEvents, (rules, start, events) => {
        for (const decision of play(rules, { ...start, boosts: [] }, events).decisions) {
          if (decision.outcome === 'refused') continue;
          const { programVersion, counter } = decision;
          expect(fromRecord(stored(toRecord(decision)), { programVersion, counter })).toEqual(decision);
        }
      }),
      { seed: 10, numRuns: 150 },
    );
  });
});

/** Decides every event again from what its record keeps, and compares the records. */
function expectSameAgain(rules: Program, start: UserState, events: readonly MetricEvent[]) {
  const { decisions } = play(rules, start, events);
  for (const [index, decision] of decisions.entries()) {
    const one = events[index];
    if (decision.outcome === 'refused' || one === undefined) continue;
    const { programVersion, counter } = decision;
    const record = stored(toRecord(decision));
    const kept = fromRecord(record, { programVersion, counter });
    expect(stored(toRecord(applied(decide(rules, recall(kept, one.at), one))))).toEqual(record);
  }
}

describe('an event decided again from its record', () => {
  it('gives the same record, with instants for the user’s own boosts', () => {
    const always = fc.record({ id: fc.uuid(), exclusive: fc.boolean() }).map((one) => ownBoost('1.5', one));
    fc.assert(
      fc.property(anyProgram, anyUser, fc.array(always), anyEvents, (rules, start, boosts, events) => {
        expectSameAgain(rules, { ...start, boosts }, events);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('gives the same record, whatever boosts the user owns', () => {
    fc.assert(fc.property(anyProgram, anyUser, anyEvents, expectSameAgain), { seed: 12, numRuns: 300 });
  });

  const one = system([trigger(1, 5)]);
  it.each<[string, UserBoost]>([
    ['with days in the user’s zone', ownBoost(2, { window: dates('2026-06-15', null) })],
    ['with a filter', ownBoost(2, { user: PRO })],
    ['that did not apply', ownBoost(2, { user: PRO, window: dates('2030-01-01', null) })],
  ])('gives the same record for an own boost %s', (_title, own) => {
    expectSameAgain(program(one), user({ attributes: PRO, zone: 'Asia/Tokyo', boosts: [own] }), [event(1)]);
  });
});

describe('a stored program', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyProgram, (rules) => {
        expect(readProgram(rules.version, stored(writeProgram(rules)))).toEqual(rules);
      }),
      { seed: 13, numRuns: 100 },
    );
  });

  it('holds points and decimals as strings', () => {
    const levels = [level('bronze', 7)];
    const rules = system([trigger('2.5', -3)], { max: 10, ceiling: '4.5', levels, boosts: [boost('1.5')] });
    expect(stored(writeProgram(program(rules)))).toMatchObject({
      timeZone: 'UTC',
      systems: [
        {
          maxPoints: '10',
          minPoints: '0',
          boostCeiling: '4.5',
          triggers: [{ threshold: '2.5', points: '-3' }],
          levels: [{ points: '7' }],
          boosts: [{ multiplier: '1.5' }],
        },
      ],
    });
  });

  it('has its levels put in order of their points', () => {
    const jumbled = program(system([], { levels: [level('gold', 100), level('bronze', 9)] }));
    expect(readProgram(1, writeProgram(jumbled)).systems[0]?.levels.map(({ key }) => key)).toEqual(['bronze', 'gold']);
  });
});
