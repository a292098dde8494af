import { describe, expect, it } from '@jest/globals';
import { settleAgain } from '../../src/ledger/decide-again.ts';
import { canonical } from '../../src/ledger/hash.ts';
import { boostForTicks, settle } from '../../src/rules/settlement.ts';
import { type SettlementRecord, toSettlementRecord } from '../../src/rules/settlement-record.ts';
import type { Clock, Era, TimedUser } from '../../src/rules/ticks.ts';
import type { Account, Instant, Program, System, TimeTrigger } from '../../src/rules/types.ts';
import { account, boost, dates, instants, level, ownBoost, program, system } from './build.ts';

// What is stored with a settlement is enough to settle the same again, whoever else was settled in the batch.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function ticking(id: string, points: number, hours: number, rest: Partial<TimeTrigger> = {}): TimeTrigger {
  const base = { id, key: id, active: true, points: BigInt(points), userAttributes: [], onFloor: 'clamp' as const };
  return { ...base, type: 'time', every: hours * HOUR, runs: 'always', since: 0, ...rest };
}

function era(from: Instant, version: number, systems: System | readonly System[]): Era {
  return { from, program: program(systems, 'UTC', { version }) };
}

const USER: TimedUser = { created: 0, attributes: {}, zones: [], boosts: [] };

/** The record, as PostgreSQL gives it back, of all systems settled up to `until`. */
function recordOf(
  eras: readonly Era[],
  user: TimedUser,
  clocks: Record<string, Clock>,
  until: Instant,
  accounts: Record<string, Account> = {},
): SettlementRecord {
  const ids = (eras.at(-1) as Era).program.systems.map(({ id }) => id);
  const state = {
    accounts: new Map(Object.entries(accounts)),
    clocks: new Map(Object.entries(clocks)),
    rewarded: new Set<string>(),
  };
  const { settlement } = settle(ids, eras, user, state, until);
  return JSON.parse(JSON.stringify(settlement && toSettlementRecord(settlement)));
}

function expectAgain(record: SettlementRecord, eras: readonly Era[]): void {
  const programs = new Map(eras.map(({ program }): [number, Program] => [program.version, program]));
  expect(canonical(settleAgain(record, programs))).toBe(canonical(record));
}

const settledAt = (at: Instant): Clock => ({ settledAt: at, running: new Map() });

describe('a settlement is settled again from what is stored with it', () => {
  it('beside a boost that was archived before it would have begun', () => {
    const eras = [era(0, 1, system([ticking('t', 10, 1)]))];
    const late = ownBoost(3, { window: { kind: 'instants', startTime: 4 * HOUR, endTime: null } });
    const archived = boostForTicks(late, { from: 0, until: HOUR }, [], 'UTC');
    const record = recordOf(eras, { ...USER, boosts: [archived] }, { xp: settledAt(2 * HOUR) }, 6 * HOUR);
    expect(record.runs.map(({ fires, amount }) => [fires, amount])).toEqual([['4', '40']]);
    expectAgain(record, eras);
  });

  it('beside a points system without ticks that is settled less far', () => {
    const xp = (points: number) => system([ticking('t', points, 1)]);
    const slow = system([ticking('s', 1, 1_000, { since: 3 * DAY })], { id: 'slow' });
    const eras = [era(0, 1, xp(1)), era(DAY, 2, xp(2)), era(3 * DAY, 3, [xp(2), slow])];
    const record = recordOf(eras, USER, { xp: settledAt(2 * DAY) }, 4 * DAY);
    expect(record.runs.map(({ amount }) => amount)).toEqual(['46', '50']);
    expectAgain(record, eras);
  });

  it('with boosts of days, boosts of the user, filters, and levels that give in another system', () => {
    const rewards = [{ systemId: 'coins', systemKey: 'coins', points: 5n }];
    const xp = system([ticking('t', 3, 1), ticking('u', -1, 2, { userAttributes: [{ key: 'plan', value: 'free' }] })], {
      levels: [{ ...level('high', 20), rewards }],
      boosts: [
        boost('1.5', { window: dates('1970-01-02', '1970-01-02'), rounding: 'nearest' }),
        boost(3, {
          user: { plan: 'pro' },
          exclusive: true,
          window: instants('1970-01-01T05:00Z', '1970-01-01T07:00Z'),
        }),
      ],
      max: 100,
    });
    const coins = system([ticking('c', 1, 24, { runs: 'below_cap' })], { id: 'coins', max: 7 });
    const eras = [era(0, 1, [xp, coins])];
    const own = boostForTicks(ownBoost(2), { from: 3 * HOUR, until: 6 * HOUR }, [], 'UTC');
    const zones = [{ from: 0, zone: 'Asia/Tokyo' }];
    const user = { ...USER, zones, attributes: { plan: 'pro', other: 'x' }, boosts: [own] };
    const record = recordOf(eras, user, {}, 2 * DAY, { coins: account(6) });
    expect(record.rewards).toHaveLength(1);
    expectAgain(record, eras);
  });

  it('with what a level gives that ticks reached and left again, as if it had been settled in between', () => {
    const rewards = [{ systemId: 'coins', systemKey: 'coins', points: 5n }];
    const up = ticking('up', 10, 24);
    const down = ticking('down', -10, 24, { since: 12 * HOUR });
    const xp = system([up, down], { levels: [{ ...level('high', 10), rewards }] });
    const eras = [era(0, 1, [xp, system([], { id: 'coins' })])];
    const record = recordOf(eras, USER, {}, 2 * DAY - 6 * HOUR);
    expect(record.systems.map(({ system: id, after }) => [id, after[0]])).toEqual([
      ['xp', '0'],
      ['coins', '5'],
    ]);
    expect(record.rewards).toHaveLength(1);
    expectAgain(record, eras);
  });
});
