import { describe, expect, it } from '@jest/globals';
import { outlook, settle } from '../../src/rules/settlement.ts';
import { fromSettlementRecord, toSettlementRecord } from '../../src/rules/settlement-record.ts';
import { type Clock, type Era, type TimedUser, tick } from '../../src/rules/ticks.ts';
import type { Account, Program, System, TimeTrigger } from '../../src/rules/types.ts';
import { account, boost, dates, instant, instants, level, program, system, ticking } from './build.ts';

const DAY = '2026-06-15T';
const at = (time: string) => instant(time.includes('T') ? time : `${DAY}${time}Z`);
const EMPTY: Account = { balance: 0n, earned: 0n, version: 0n };

/** Known since midnight, settled until then. */
const user = (rest: Partial<TimedUser> = {}): TimedUser => ({
  created: at('00:00'),
  attributes: {},
  zones: [],
  boosts: [],
  ...rest,
});

const clock = (settled: string, running: Record<string, string | null> = {}): Clock => ({
  settledAt: at(settled),
  running: new Map(Object.entries(running).map(([id, from]) => [id, from === null ? null : at(from)])),
});

const era = (rules: Program, from = 0): Era => ({ program: rules, from });

function run(
  rules: System | Era[],
  until: string,
  start: Partial<{ account: Account; clock: Clock; user: TimedUser }> = {},
) {
  const eras = Array.isArray(rules) ? rules : [era(program(rules))];
  const begin = { account: start.account ?? EMPTY, clock: start.clock ?? clock('00:00') };
  return tick('xp', eras, start.user ?? user(), begin, at(until));
}

const summary = ({ runs }: ReturnType<typeof run>) =>
  runs.map(({ triggerId, fires, amount, at }) => [triggerId, fires, amount, new Date(at).toISOString().slice(11, 16)]);

const energy = (hours: number, points: number, rest: Partial<TimeTrigger> = {}) =>
  ticking(hours, points, { runs: 'below_cap', ...rest });

describe('a clock on a grid', () => {
  it.each([
    ['nothing is due before the first tick', 3, '02:59', []],
    ['a tick is due at its very instant', 3, '03:00', [['t1', 1n, 10n, '03:00']]],
    ['ticks that pay the same are one run', 3, '10:00', [['t1', 3n, 30n, '09:00']]],
  ])('%s', (_, hours, until, expected) => {
    expect(summary(run(system([ticking(hours, 10)]), until))).toEqual(expected);
  });

  it('begins with the user or the activation, whichever was later', () => {
    const late = system([ticking(3, 10, { since: at('01:30') })]);
    expect(summary(run(late, '10:00'))).toEqual([['t1', 2n, 20n, '07:30']]);
    const later = user({ created: at('02:00') });
    expect(summary(run(late, '10:00', { user: later, clock: clock('02:00') }))).toEqual([['t1', 2n, 20n, '08:00']]);
  });

  it('settles nothing twice', () => {
    const rules = system([ticking(3, 10)]);
    const first = run(rules, '06:00');
    const second = run(rules, '06:00', first);
    expect(second.runs).toEqual([]);
    expect(run(rules, '05:00', first).clock).toEqual(first.clock);
    expect(summary(run(rules, '10:00', first))).toEqual([['t1', 1n, 10n, '09:00']]);
  });

  it('pays five years in one run, and in three around a week of double points', () => {
    const rules = (boosts: System['boosts']) => program(system([ticking(1, 1)], { boosts }));
    const until = instant('2031-06-15T00:00Z');
    const settled = (boosts: System['boosts']) =>
      tick('xp', [era(rules(boosts))], user(), { account: EMPTY, clock: clock('00:00') }, until);
    const hours = BigInt((until - at('00:00')) / 3_600_000);
    expect(settled([]).runs.map(({ amount }) => amount)).toEqual([hours]);
    const week = boost(2, { window: dates('2028-01-03', '2028-01-09') });
    const { runs, account: after } = settled([week]);
    expect(runs.map(({ product, fires }) => [product, product === '2' ? fires : 0n])).toEqual([
      ['1', 0n],
      ['2', 168n],
      ['1', 0n],
    ]);
    expect(after.balance).toBe(hours + 168n);
  });

  it('goes by for who does not match, and pays from when one does', () => {
    const rules = system([ticking(1, 1, { user: { plan: 'pro' } })]);
    const before = run(rules, '05:00');
    expect(before.runs).toEqual([]);
    expect(summary(run(rules, '06:30', { ...before, user: user({ attributes: { plan: 'pro' } }) }))).toEqual([
      ['t1', 1n, 1n, '06:00'],
    ]);
  });
});

describe('cap and floor', () => {
  it('a tick that gives is cut at the cap, and the instant when it was full is known', () => {
    const ticked = run(system([ticking(1, 10)], { max: 25 }), '09:00');
    expect(ticked.runs).toMatchObject([{ fires: 9n, amount: 25n, withheld: 65n, room: 25n }]);
    expect(ticked.fullAt).toBe(at('03:00'));
  });

  it.each([
    ['clamp', -12n, 0n],
    ['refuse', -10n, -5n],
    ['allow', -15n, 0n],
  ] as const)('a tick that takes: %s', (onFloor, amount, withheld) => {
    const ticked = run(system([ticking(1, -5, { onFloor })]), '03:00', { account: account(12) });
    expect(ticked.account.balance).toBe(12n + amount);
    if (onFloor === 'refuse') expect(ticked.runs[0]?.withheld).toBe(withheld);
  });

  it('no balance leaves its range', () => {
    const nearly = account(9_007_199_254_740_990n);
    expect(run(system([ticking(1, 5)]), '03:00', { account: nearly }).account.balance).toBe(9_007_199_254_740_991n);
  });
});

describe('a clock below the cap', () => {
  const rules = system([energy(1, 1)], { max: 5 });

  it('stands while the account is full, and begins anew at the instant of a spend', () => {
    const full = run(rules, '12:59', { account: account(4), clock: clock('12:00', { t1: '11:59' }) });
    expect(summary(full)).toEqual([['t1', 1n, 1n, '12:59']]);
    expect(full.clock.running).toEqual(new Map([['t1', null]]));
    const spent = run(rules, '2026-06-15T12:59:30Z', full);
    expect(spent.runs).toEqual([]);
    const after = { account: account(3), clock: spent.clock };
    expect(summary(run(rules, '13:59', after))).toEqual([]);
    expect(run(rules, '2026-06-15T13:59:30Z', after).runs).toMatchObject([
      { fires: 1n, at: at('2026-06-15T13:59:30Z') },
    ]);
  });

  it('keeps the part of an interval that has gone by while it runs', () => {
    const start = run(rules, '00:40', { account: account(2) });
    const spent = { account: account(1), clock: start.clock };
    expect(summary(run(rules, '01:00', spent))).toEqual([['t1', 1n, 1n, '01:00']]);
  });

  it('fills up and stands, however long nobody comes', () => {
    const ticked = run(rules, '2030-01-01T00:00Z', { account: account(3) });
    expect(summary(ticked)).toEqual([['t1', 2n, 2n, '02:00']]);
    expect(ticked.fullAt).toBe(at('02:00'));
  });

  it('is set going by a tick that takes from a full account', () => {
    const both = system([ticking(24, -3, { onFloor: 'clamp' }), energy(1, 1)], { max: 5 });
    const ticked = run(both, '2026-06-16T02:30Z', { account: account(5), clock: clock('00:00', { t2: null }) });
    expect(summary(ticked)).toEqual([
      ['t1', 1n, -3n, '00:00'],
      ['t2', 2n, 2n, '02:00'],
    ]);
  });
});

describe('programs that follow one another', () => {
  const points = (count: number, rest: Partial<TimeTrigger> = {}) => program(system([ticking(1, count, rest)]));

  it('each tick is paid by the one in force at its instant', () => {
    const eras = [era(points(1)), era(points(100), at('03:00'))];
    expect(summary(run(eras, '05:30'))).toEqual([
      ['t1', 2n, 2n, '02:00'],
      ['t1', 3n, 300n, '05:00'],
    ]);
  });

  it('nothing ticks while the trigger is inactive; activated again, it begins anew', () => {
    const eras = [
      era(points(1)),
      era(points(1, { active: false }), at('02:30')),
      era(points(1, { since: at('05:30') }), at('05:30')),
    ];
    expect(summary(run(eras, '07:00'))).toEqual([
      ['t1', 2n, 2n, '02:00'],
      ['t1', 1n, 1n, '06:30'],
    ]);
  });

  it('a cap that is raised sets clocks going that stood', () => {
    const capped = (max: number) => program(system([energy(1, 1)], { max }));
    const eras = [era(capped(5)), era(capped(6), at('03:20'))];
    expect(summary(run(eras, '09:00', { account: account(5) }))).toEqual([['t1', 1n, 1n, '04:20']]);
  });
});

describe('what happens at once', () => {
  it('the trigger that comes first ticks first', () => {
    const rules = system([ticking(1, 10), ticking(2, -4, { onFloor: 'clamp' })], { max: 10 });
    expect(summary(run(rules, '02:00'))).toEqual([
      ['t1', 2n, 10n, '02:00'],
      ['t2', 1n, -4n, '02:00'],
    ]);
    const other = system([ticking(2, -4, { onFloor: 'clamp' }), ticking(1, 10)], { max: 10 });
    expect(summary(run(other, '02:00'))).toEqual([
      ['t2', 1n, 10n, '01:00'],
      ['t1', 1n, -4n, '02:00'],
      ['t2', 1n, 4n, '02:00'],
    ]);
  });
});

describe('the outlook', () => {
  const look = (rules: System, balance: number, settled = '00:30') =>
    outlook('xp', era(program(rules)), user(), { account: account(balance), clock: clock(settled) }, { full: true });

  it('tells the next tick and when it is full', () => {
    expect(look(system([energy(1, 2)], { max: 7 }), 2)).toEqual({ nextAt: at('01:30'), fullAt: at('03:30') });
    expect(look(system([ticking(1, 2)], { max: 7 }), 2)).toEqual({ nextAt: at('01:00'), fullAt: at('03:00') });
  });

  it('tells nothing where nothing will change', () => {
    expect(look(system([energy(1, 2)], { max: 7 }), 7)).toEqual({ nextAt: null, fullAt: null });
    expect(look(system([ticking(1, 2, { active: false })]), 7)).toEqual({ nextAt: null, fullAt: null });
    expect(look(system([ticking(1, -2, { onFloor: 'clamp' })]), 0)).toEqual({ nextAt: null, fullAt: null });
  });
});

describe('a settlement', () => {
  const rules = program([
    system([ticking(1, 10, { user: { plan: 'pro' } })], {
      levels: [{ ...level('rich', 25), rewards: [{ systemId: 'coins', systemKey: 'coins', points: 5n }] }],
      boosts: [boost(2, { window: instants('2026-06-15T02:30Z', null), user: { country: 'de' } })],
    }),
    system([], { id: 'coins' }),
  ]);
  const settled = settle(
    ['xp'],
    [era(rules)],
    user({ attributes: { plan: 'pro', country: 'de', age: '9' } }),
    { accounts: new Map(), clocks: new Map([['xp', clock('00:00')]]), rewarded: new Set() },
    at('04:00'),
  );

  it('gives what levels give', () => {
    expect(settled.settlement?.rewards).toMatchObject([{ levelKey: 'rich', targetId: 'coins', amount: 5n }]);
    expect(settled.settlement?.systems).toMatchObject([
      { systemId: 'xp', levelBefore: null, levelAfter: 'rich' },
      { systemId: 'coins', after: { balance: 5n } },
    ]);
  });

  it('keeps what was consulted and no more, and is written and read without loss', () => {
    expect(settled.settlement?.consulted).toEqual({ country: 'de', plan: 'pro' });
    const record = toSettlementRecord(settled.settlement!);
    expect(toSettlementRecord(fromSettlementRecord(JSON.parse(JSON.stringify(record))))).toEqual(record);
  });

  it('is nothing where no balance changes, but time goes by', () => {
    const nothing = settle(
      ['xp'],
      [era(program(system([ticking(1, 10, { user: { plan: 'pro' } })])))],
      user(),
      { accounts: new Map(), clocks: new Map(), rewarded: new Set() },
      at('04:00'),
    );
    expect(nothing.settlement).toBeNull();
    expect(nothing.clocks.get('xp')?.settledAt).toBe(at('04:00'));
  });
});
