import { describe, expect, it } from '@jest/globals';
import { openForUser } from '../../src/rules/boost-schedule.ts';
import { decide } from '../../src/rules/decide.ts';
import type { Fired } from '../../src/rules/decision.ts';
import type { Attributes, Boost, DateWindow, InstantWindow, UserBoost } from '../../src/rules/types.ts';
import {
  applied,
  boost,
  dates,
  event,
  instant,
  instants,
  ownBoost,
  posted,
  program,
  system,
  trigger,
  user,
  type Written,
} from './build.ts';

const UP = { rounding: 'up' } as const;
const NEAREST = { rounding: 'nearest' } as const;
const ALONE = { exclusive: true };

/** One award of `base` points with these boosts. */
function award(base: number | bigint, boosts: Boost[], ceiling: Written | null = null): Fired {
  const rules = program(system([trigger(1, base)], { boosts, ceiling }));
  return applied(decide(rules, user(), event(1))).fired[0]!;
}

describe('boosts of an award', () => {
  it.each<[string, number, Boost[], number, string]>([
    ['double', 10, [boost(2)], 20, '2'],
    ['of less than one take away', 10, [boost('0.5')], 5, '0.5'],
    ['multiply each other', 10, [boost(2), boost('1.5'), boost(3)], 90, '9'],
    ['multiply before they are rounded', 1, [boost('1.5'), boost('1.5')], 2, '2.25'],
    ['are exact where binary fractions are not', 10, [boost('1.1'), boost('1.1'), boost('1.1')], 13, '1.331'],
    ['are exact to the last digit', 1_000_000_000, [boost('1.000000001')], 1_000_000_001, '1.000000001'],
    ['are exact in the product', 1, [boost('0.000000001'), boost(3)], 0, '0.000000003'],
    ['round down', 10, [boost('1.19')], 11, '1.19'],
    ['round up', 10, [boost('1.11', UP)], 12, '1.11'],
    ['leave a whole product when rounding up', 10, [boost('1.1', UP)], 11, '1.1'],
    ['round up by the smallest excess', 1, [boost('1.000000001', UP)], 2, '1.000000001'],
    ['round 1.2 to the nearest', 1, [boost('1.2', NEAREST)], 1, '1.2'],
    ['round 1.7 to the nearest', 1, [boost('1.7', NEAREST)], 2, '1.7'],
    ['round a half away from zero', 1, [boost('1.5', NEAREST)], 2, '1.5'],
    ['round an even half away from zero', 1, [boost('2.5', NEAREST)], 3, '2.5'],
    ['round just below a half down', 1, [boost('1.499999999', NEAREST)], 1, '1.499999999'],
    ['round up to one from almost nothing', 1, [boost('0.000000001', UP)], 1, '0.000000001'],
    ['round down to nothing', 1, [boost('0.9')], 0, '0.9'],
    ['round once, up', 1, [boost('1.1', UP), boost('1.1', { ...UP, id: 'b' })], 2, '1.21'],
    ['that disagree on rounding round down: up, down', 1, [boost('1.5', UP), boost('1.1')], 1, '1.65'],
    ['that disagree on rounding round down: up, nearest', 1, [boost('1.5', UP), boost('1.2', NEAREST)], 1, '1.8'],
    ['that agree on rounding keep it', 1, [boost('1.5', NEAREST), boost('1.2', NEAREST)], 2, '1.8'],
    ['cancel each other exactly', 7, [boost(8), boost('0.125')], 7, '1'],
  ])('%s', (_title, base, boosts, boosted, product) => {
    const fired = award(base, boosts);
    expect([Number(fired.boosted), fired.product]).toEqual([boosted, product]);
    expect(fired).toMatchObject({ base: BigInt(base), amount: BigInt(boosted), withheld: 0n });
  });

  it.each<[string, Boost[], Written | null, number, string[]]>([
    ['an exclusive one stands alone', [boost(3, ALONE), boost(2)], null, 300, ['x3']],
    ['an exclusive one shuts out a better one', [boost(2, ALONE), boost(5)], null, 200, ['x2']],
    ['the best of exclusive ones stands alone', [boost(2, ALONE), boost(4, ALONE), boost(3, ALONE)], null, 400, ['x4']],
    ['an exclusive reduction stands alone', [boost('0.5', ALONE), boost(2)], null, 50, ['x0.5']],
    ['the product stops at the ceiling', [boost(2), boost(3)], 5, 500, ['x2', 'x3']],
    ['the product may reach the ceiling', [boost(2), boost('2.5')], 5, 500, ['x2', 'x2.5']],
    ['the ceiling may have fraction digits', [boost(2), boost(3)], '2.25', 225, ['x2', 'x3']],
    ['the ceiling holds for an exclusive one', [boost(9, ALONE)], 4, 400, ['x9']],
    ['a reduction below the ceiling stays', [boost('0.5')], 4, 50, ['x0.5']],
    ['a reduction counts before the ceiling', [boost(10), boost('0.5')], 4, 400, ['x10', 'x0.5']],
    ['the ceiling alone changes nothing', [], '0.5', 100, []],
  ])('%s', (_title, boosts, ceiling, boosted, ids) => {
    const fired = award(100, boosts, ceiling);
    expect([Number(fired.boosted), fired.boosts.map(({ id }) => id)]).toEqual([boosted, ids]);
  });

  it('rounds a product at its ceiling as its boosts say', () => {
    expect(award(1, [boost(9, UP)], '1.5')).toMatchObject({ boosted: 2n, product: '1.5', rounding: 'up' });
  });

  it('uses the rounding of the exclusive one alone', () => {
    expect(award(1, [boost('1.5', { ...UP, ...ALONE }), boost(2)])).toMatchObject({ boosted: 2n, rounding: 'up' });
  });

  it('does not depend on the order of two equal exclusive ones', () => {
    const pair = [boost('1.5', { ...UP, ...ALONE, id: 'a' }), boost('1.5', { ...ALONE, id: 'b' })];
    expect(award(1, pair).boosted).toBe(award(1, pair.toReversed()).boosted);
  });

  it('multiplies fires and points together, then rounds once', () => {
    const rules = program(system([trigger(1, 3)], { boosts: [boost('1.1')] }));
    expect(applied(decide(rules, user(), event(10))).fired[0]).toMatchObject({ fires: 10n, base: 30n, boosted: 33n });
  });
});

describe('a boost applies', () => {
  const PRO = { plan: 'pro' };
  it.each<[string, Boost[], UserBoost[], Attributes, number]>([
    ['to everyone without filters', [boost(2)], [], {}, 20],
    ['to a user that matches', [boost(2, { user: PRO })], [], PRO, 20],
    ['to no user that does not match', [boost(2, { user: PRO })], [], { plan: 'Pro' }, 10],
    ['to no user without the attribute', [boost(2, { user: PRO })], [], {}, 10],
    ['only where all its filters match', [boost(2, { user: { ...PRO, team: 'a' } })], [], PRO, 10],
    ['to its own user', [], [ownBoost(3)], {}, 30],
    ['to its own user beside one for all', [boost(2)], [ownBoost(3)], {}, 60],
    ['to its own user only if filters match', [], [ownBoost(3, { user: PRO })], {}, 10],
    ['in no other system', [], [ownBoost(3, { systemId: 'coins' })], {}, 10],
    ['alone when a user owns an exclusive one', [boost(2)], [ownBoost(3, ALONE)], {}, 30],
  ])('%s', (_title, boosts, own, attributes, amount) => {
    const rules = program(system([trigger(1, 10)], { boosts }));
    expect(Number(posted(decide(rules, user({ attributes, boosts: own }), event(1))))).toBe(amount);
  });

  it('to every award of an event and to no deduction', () => {
    const triggers = [trigger(1, 10), trigger(1, -4), trigger(1, 5)];
    const { fired } = applied(decide(program(system(triggers, { boosts: [boost(2)] })), user(), event(1)));
    expect(fired.map(({ amount, boosts, product }) => [Number(amount), boosts.length, product])).toEqual([
      [20, 1, '2'],
      [-4, 0, '1'],
      [10, 1, '2'],
    ]);
  });

  it('to awards of its own system', () => {
    const systems = [system([trigger(1, 10)], { boosts: [boost(2)] }), system([trigger(1, 10)], { id: 'coins' })];
    const { fired } = applied(decide(program(systems), user(), event(1)));
    expect(fired.map(({ systemId, amount }) => [systemId, Number(amount)])).toEqual([
      ['xp', 20],
      ['coins', 10],
    ]);
  });

  it('and is kept with the decision if it is the user’s own', () => {
    const state = user({ boosts: [ownBoost(3), ownBoost(5, { window: instants('2030-01-01', null) })] });
    expect(applied(decide(program(system([trigger(1, 1)])), state, event(1))).userBoosts).toEqual([state.boosts[0]]);
  });

  it('and asks for user attributes only where something was awarded', () => {
    const rules = program(system([trigger(2, 1)], { boosts: [boost(2, { user: PRO })] }));
    expect(applied(decide(rules, user(), event(1))).consulted).toEqual({});
    expect(applied(decide(rules, user(), event(2))).consulted).toEqual({ plan: null });
  });
});

interface Zones {
  user?: string;
  project?: string;
}

/** Whether an award at this instant is doubled by a boost with this window. */
function doubles(window: Boost['window'], at: number, zones: Zones = {}): boolean {
  const rules = program(system([trigger(1, 1)], { boosts: [boost(2, { window })] }), zones.project ?? 'UTC');
  const state = zones.user === undefined ? user() : user({ zone: zones.user });
  return posted(decide(rules, state, event(1, {}, at))) === 2n;
}

describe('a window of instants', () => {
  const day = instants('2026-06-15T00:00:00Z', '2026-06-16T00:00:00Z');
  it.each<[string, InstantWindow, string, boolean]>([
    ['is closed a millisecond before its start', day, '2026-06-14T23:59:59.999Z', false],
    ['is open at its start', day, '2026-06-15T00:00:00.000Z', true],
    ['is open a millisecond after its start', day, '2026-06-15T00:00:00.001Z', true],
    ['is open a millisecond before its end', day, '2026-06-15T23:59:59.999Z', true],
    ['is closed at its end', day, '2026-06-16T00:00:00.000Z', false],
    ['is closed a millisecond after its end', day, '2026-06-16T00:00:00.001Z', false],
    ['without an end is closed before its start', instants('2026-06-15', null), '2026-06-14T23:59:59.999Z', false],
    ['without an end stays open', instants('2026-06-15', null), '2200-01-01T00:00:00Z', true],
    ['that ends as it starts never opens', instants('2026-06-15', '2026-06-15'), '2026-06-15T00:00:00Z', false],
  ])('%s', (_title, window, at, open) => {
    expect(doubles(window, instant(at))).toBe(open);
  });

  it('needs no zone', () => {
    const rules = program(system([trigger(1, 1)], { boosts: [boost(2, { window: day })] }));
    expect(applied(decide(rules, user({ zone: 'Asia/Tokyo' }), event(1))).zone).toBeNull();
  });
});

/** One whole day of the user's zone. */
function day(date: string): DateWindow {
  return dates(date, date);
}

describe('a window of whole days', () => {
  // The first instant inside and the first one after.
  it.each<[string, string, DateWindow, string, string]>([
    ['in UTC', 'UTC', day('2026-06-15'), '2026-06-15T00:00Z', '2026-06-16T00:00Z'],
    ['of three days', 'UTC', dates('2026-06-14', '2026-06-16'), '2026-06-14T00:00Z', '2026-06-17T00:00Z'],
    ['east of Greenwich', 'Asia/Tokyo', day('2026-06-15'), '2026-06-14T15:00Z', '2026-06-15T15:00Z'],
    ['at a half hour', 'Asia/Kolkata', day('2026-06-15'), '2026-06-14T18:30Z', '2026-06-15T18:30Z'],
    ['at a quarter hour', 'Asia/Kathmandu', day('2026-06-15'), '2026-06-14T18:15Z', '2026-06-15T18:15Z'],
    ['at UTC−11', 'Pacific/Pago_Pago', day('2026-06-15'), '2026-06-15T11:00Z', '2026-06-16T11:00Z'],
    ['at UTC−12', 'Etc/GMT+12', day('2026-06-15'), '2026-06-15T12:00Z', '2026-06-16T12:00Z'],
    ['at UTC+14', 'Pacific/Kiritimati', day('2026-06-15'), '2026-06-14T10:00Z', '2026-06-15T10:00Z'],
    ['of 23 hours in spring', 'Europe/Berlin', day('2026-03-29'), '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['of 25 hours in autumn', 'Europe/Berlin', day('2026-10-25'), '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ['of 23 hours in New York', 'America/New_York', day('2026-03-08'), '2026-03-08T05:00Z', '2026-03-09T04:00Z'],
    ['of 25 hours in New York', 'America/New_York', day('2026-11-01'), '2026-11-01T04:00Z', '2026-11-02T05:00Z'],
    ['of 24.5 hours', 'Australia/Lord_Howe', day('2026-04-05'), '2026-04-04T13:00Z', '2026-04-05T13:30Z'],
    ['that begins at one o’clock', 'Africa/Cairo', day('2026-04-24'), '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
    ['on a leap day', 'Europe/Berlin', day('2028-02-29'), '2028-02-28T23:00Z', '2028-02-29T23:00Z'],
    ['over new year', 'Asia/Tokyo', dates('2026-12-31', '2027-01-01'), '2026-12-30T15:00Z', '2027-01-01T15:00Z'],
    ['without a leap day', 'UTC', dates('2026-02-28', '2026-03-01'), '2026-02-28T00:00Z', '2026-03-02T00:00Z'],
  ])('%s (%s)', (_title, zone, window, first, after) => {
    const [start, end] = [instant(first), instant(after)];
    const around = [start - 1, start, start + 1, end - 1, end, end + 1];
    const open = [false, true, true, true, false, false];
    expect(around.map((at) => doubles(window, at, { user: zone }))).toEqual(open);
    expect(around.map((at) => doubles({ ...window, zone: 'project' }, at, { project: zone }))).toEqual(open);
    expect(openForUser(window, [], zone)).toEqual({ startsAt: start, endsAt: end });
  });

  const midJune = day('2026-06-15');
  const project = { project: 'Pacific/Kiritimati' };
  const far = { ...project, user: 'Pacific/Pago_Pago' };
  it.each<[string, DateWindow, Zones, string, boolean]>([
    ['is read in the user’s zone', midJune, far, '2026-06-16T10:00Z', true],
    ['is read in the project’s zone if it says so', { ...midJune, zone: 'project' }, far, '2026-06-16T10:00Z', false],
    ['is read in the project’s zone for a user without one', midJune, project, '2026-06-14T10:00Z', true],
    ['without an end stays open', dates('2026-06-15', null), {}, '2090-01-01T00:00Z', true],
    ['without an end waits for its start', dates('2026-06-15', null), {}, '2026-06-14T23:59Z', false],
    ['that ends before its start never opens', dates('2026-06-16', '2026-06-14'), {}, '2026-06-15T12:00Z', false],
  ])('%s', (_title, window, zones, at, open) => {
    expect(doubles(window, instant(at), zones)).toBe(open);
  });

  it('without an end has none as an instant either', () => {
    const startTime = instant('2026-06-15');
    expect(openForUser(dates('2026-06-15', null), [], 'UTC')).toEqual({ startsAt: startTime, endsAt: null });
  });

  it('uses the zone that was in force at the event', () => {
    const zones = [
      { from: 0, zone: 'Pacific/Kiritimati' },
      { from: instant('2026-06-15T18:00Z'), zone: 'Europe/Berlin' },
    ];
    const open = ['2026-06-15T09:59Z', '2026-06-15T10:00Z', '2026-06-15T17:59Z', '2026-06-15T18:00Z'].map((at) => {
      const rules = program(system([trigger(1, 1)], { boosts: [boost(2, { window: midJune })] }));
      return posted(decide(rules, user({ zones }), event(1, {}, at))) === 2n;
    });
    expect(open).toEqual([true, false, false, true]);
  });

  it('keeps with the decision the zone it was read in', () => {
    const rules = program(system([trigger(1, 1)], { boosts: [boost(2, { window: midJune })] }), 'Asia/Tokyo');
    expect(applied(decide(rules, user({ zone: 'Europe/Berlin' }), event(1))).zone).toBe('Europe/Berlin');
    expect(applied(decide(rules, user(), event(1))).zone).toBe('Asia/Tokyo');
  });

  it('is empty as instants too where the day was skipped', () => {
    const skipped = openForUser(day('2011-12-30'), [], 'Pacific/Apia');
    expect(skipped.endsAt).toBe(skipped.startsAt);
  });
});
