import { describe, expect, it } from '@jest/globals';
import { timePart } from '../../src/rules/era.ts';
import type { BoostSnapshot, ProgramSnapshot, SystemSnapshot, TriggerSnapshot } from '../../src/rules/program.ts';
import type { TimeTrigger } from '../../src/rules/types.ts';

type TimeSnapshot = Omit<TimeTrigger, 'points'> & { points: string };

const tick: TimeSnapshot = {
  id: 'tick',
  key: 'tick',
  type: 'time',
  active: true,
  points: '1',
  userAttributes: [],
  onFloor: 'refuse',
  every: 10_800_000,
  runs: 'below_cap',
  since: 0,
};
const tock: TimeSnapshot = { ...tick, id: 'tock', key: 'tock', runs: 'always' };
const arrival: TriggerSnapshot = {
  id: 'arrival',
  key: 'arrival',
  type: 'user_creation',
  active: true,
  points: '5',
  userAttributes: [],
  onFloor: 'refuse',
};
const boost: BoostSnapshot = {
  id: 'b1',
  name: 'Double',
  multiplier: '2',
  rounding: 'down',
  exclusive: false,
  userAttributes: [],
  window: { kind: 'instants', startTime: 0, endTime: null },
};
const other: BoostSnapshot = { ...boost, id: 'b2', multiplier: '3' };
const energy: SystemSnapshot = {
  id: '1',
  key: 'energy',
  name: 'Energy',
  description: '',
  maxPoints: '25',
  minPoints: '0',
  levelBasis: 'balance',
  boostCeiling: null,
  triggers: [arrival, tick, tock],
  levels: [],
  boosts: [boost, other],
};
const xp: SystemSnapshot = { ...energy, id: '2', key: 'xp', triggers: [arrival], boosts: [boost] };

function program(systems: SystemSnapshot[], rest: Partial<ProgramSnapshot> = {}): ProgramSnapshot {
  return { timeZone: 'UTC', systems, ...rest };
}

const before = timePart(program([energy, xp]));
const withTick = (fields: Partial<TimeSnapshot>) => ({ ...energy, triggers: [arrival, { ...tick, ...fields }, tock] });

describe('the time part of a program', () => {
  it.each<[string, ProgramSnapshot]>([
    ['no system', program([])],
    ['no time trigger', program([xp])],
    ['no active time trigger', program([{ ...energy, triggers: [{ ...tick, active: false }] }])],
  ])('is empty: %s', (_, snapshot) => {
    expect(timePart(snapshot)).toBe('');
  });

  it.each<[string, ProgramSnapshot]>([
    ['as it comes back from the database', JSON.parse(JSON.stringify(reversed(program([energy, xp]))))],
    ['systems in another order', program([xp, energy])],
    ['keys and names', program([{ ...withTick({ key: 'drip' }), key: 'e', name: 'E', description: 'what for' }, xp])],
    ['the name of a boost', program([{ ...energy, boosts: [{ ...boost, name: 'Twice' }, other] }, xp])],
    ['boosts in another order', program([{ ...energy, boosts: [other, boost] }, xp])],
    ['a trigger of another type', program([{ ...energy, triggers: [tick, { ...arrival, points: '9' }, tock] }, xp])],
    ['an inactive time trigger', program([energy, { ...xp, triggers: [{ ...tick, active: false }] }])],
    ['a system without time triggers', program([energy, { ...xp, maxPoints: '7', boosts: [] }])],
    ['levels', program([{ ...energy, levelBasis: 'earned', levels: [level('l', '5')] }, xp])],
    ['streaks', program([energy, xp], { streak: { frequency: 'daily', metrics: [] } })],
  ])('is the same: %s', (_, snapshot) => {
    expect(timePart(snapshot)).toBe(before);
  });

  it.each<[string, ProgramSnapshot]>([
    ['the zone', program([energy, xp], { timeZone: 'Asia/Tokyo' })],
    ['another system with a time trigger', program([energy, { ...xp, triggers: [tick] }])],
    ['the cap', program([{ ...energy, maxPoints: '26' }, xp])],
    ['the floor', program([{ ...energy, minPoints: null }, xp])],
    ['the ceiling', program([{ ...energy, boostCeiling: '2' }, xp])],
    ['no boosts', program([{ ...energy, boosts: [] }, xp])],
    ['the multiplier of a boost', program([{ ...energy, boosts: [{ ...boost, multiplier: '4' }, other] }, xp])],
    [
      'a window',
      program([{ ...energy, boosts: [{ ...boost, window: { ...boost.window, endTime: 9 } }, other] } as never]),
    ],
    ['points', program([withTick({ points: '2' }), xp])],
    ['the interval', program([withTick({ every: 3_600_000 }), xp])],
    ['the beginning', program([withTick({ since: 1 }), xp])],
    ['when it runs', program([withTick({ runs: 'always' }), xp])],
    ['whom it is for', program([withTick({ userAttributes: [{ key: 'plan', value: 'pro' }] }), xp])],
    ['the order of time triggers', program([{ ...energy, triggers: [tock, tick] }, xp])],
    ['one of them inactive', program([withTick({ active: false }), xp])],
  ])('is another: %s', (_, snapshot) => {
    expect(timePart(snapshot)).not.toBe(before);
    expect(timePart(snapshot)).not.toBe('');
  });
});

function level(key: string, points: string): SystemSnapshot['levels'][number] {
  return { key, name: key, description: '', points };
}

/** With the keys of all objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
