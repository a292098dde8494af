import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Settings } from 'luxon';
import type { ZonePeriod } from '../../src/rules/types.ts';
import {
  changeZone,
  dayAfter,
  isZone,
  localDate,
  startOfDay,
  ZONE_HISTORY_LIMIT,
  zoneAt,
} from '../../src/rules/zone.ts';
import { anyInstant, anyZone, instant } from './build.ts';

const BERLIN = 'Europe/Berlin';
const TOKYO = 'Asia/Tokyo';
const LOS_ANGELES = 'America/Los_Angeles';
const HONOLULU = 'Pacific/Honolulu';
const AUCKLAND = 'Pacific/Auckland';
const PAGO_PAGO = 'Pacific/Pago_Pago';
const KIRITIMATI = 'Pacific/Kiritimati';
const HOUR = 3_600_000;

function since(from: string, zone: string): ZonePeriod {
  return { from: instant(from), zone };
}

describe('the zone in force', () => {
  const moves = [since('2026-01-10T00:00Z', BERLIN), since('2026-02-10T00:00Z', TOKYO)];
  it.each<[string, ZonePeriod[], string, string | null]>([
    ['is none for a user who never gave one', [], '2026-01-01T00:00Z', null],
    ['before the first is the first', moves, '2026-01-01T00:00Z', BERLIN],
    ['is the old one until a millisecond before the change', moves, '2026-02-09T23:59:59.999Z', BERLIN],
    ['is the new one at the change', moves, '2026-02-10T00:00Z', TOKYO],
    ['stays', moves, '2036-01-01T00:00Z', TOKYO],
  ])('%s', (_title, zones, at, zone) => {
    expect(zoneAt(zones, instant(at))).toBe(zone);
  });
});

describe('a change of zone', () => {
  it.each<[string, string, string, string, string | null]>([
    // old zone, new zone, reported at → in force from
    ['to the same zone is none', BERLIN, BERLIN, '2026-03-10T12:00Z', null],
    ['east takes effect at once', BERLIN, TOKYO, '2026-03-10T12:00Z', '2026-03-10T12:00Z'],
    ['east into tomorrow takes effect at once', BERLIN, TOKYO, '2026-03-10T16:00Z', '2026-03-10T16:00Z'],
    ['east by 25 hours takes effect at once', PAGO_PAGO, KIRITIMATI, '2026-07-10T12:00Z', '2026-07-10T12:00Z'],
    ['west on the same date takes effect at once', BERLIN, LOS_ANGELES, '2026-03-10T12:00Z', '2026-03-10T12:00Z'],
    ['west into yesterday waits for midnight there', BERLIN, LOS_ANGELES, '2026-03-10T02:00Z', '2026-03-10T07:00Z'],
    ['west just before midnight there waits for it', BERLIN, LOS_ANGELES, '2026-03-10T06:59Z', '2026-03-10T07:00Z'],
    ['west at midnight there takes effect at once', BERLIN, LOS_ANGELES, '2026-03-10T07:00Z', '2026-03-10T07:00Z'],
    ['west waits by the clock of that day', LOS_ANGELES, HONOLULU, '2026-07-10T07:30Z', '2026-07-10T10:00Z'],
    ['west by 23 hours waits for midnight there', AUCKLAND, PAGO_PAGO, '2026-07-10T12:00Z', '2026-07-11T11:00Z'],
    ['west by 24 hours never takes effect', 'Pacific/Apia', PAGO_PAGO, '2026-07-10T12:00Z', null],
    ['west by 24 hours waits until clocks make it 23', AUCKLAND, PAGO_PAGO, '2026-04-03T12:00Z', '2026-04-05T11:00Z'],
    ['west by 25 hours never takes effect', KIRITIMATI, PAGO_PAGO, '2026-07-10T12:00Z', null],
    ['to another name of it is one', 'Asia/Kolkata', 'Asia/Calcutta', '2026-03-10T12:00Z', '2026-03-10T12:00Z'],
  ])('%s', (_title, from, to, at, effect) => {
    const old = { from: 0, zone: from };
    expect(changeZone([old], to, instant(at))).toEqual(effect === null ? [old] : [old, since(effect, to)]);
  });

  it('to the first zone holds from then on', () => {
    expect(changeZone([], BERLIN, instant('2026-03-10T12:00Z'))).toEqual([since('2026-03-10T12:00Z', BERLIN)]);
  });

  const old = since('2026-01-01T00:00Z', BERLIN);
  const waiting = [old, since('2026-03-10T07:00Z', LOS_ANGELES)];
  it.each<[string, string, string | null]>([
    ['that is repeated keeps waiting for the same instant', LOS_ANGELES, '2026-03-10T07:00Z'],
    ['is given up on coming back', BERLIN, null],
    ['is given up for another that holds at once', TOKYO, '2026-03-10T03:00Z'],
    ['is given up for another that waits too', HONOLULU, '2026-03-10T10:00Z'],
  ])('%s', (_title, zone, effect) => {
    const after = changeZone(waiting, zone, instant('2026-03-10T03:00Z'));
    expect(after).toEqual(effect === null ? [old] : [old, since(effect, zone)]);
  });

  it('that took effect stays in the history', () => {
    const back = since('2026-03-10T07:00Z', BERLIN);
    expect(changeZone(waiting, BERLIN, back.from)).toEqual([...waiting, back]);
  });

  it('leaves the history it was given as it is', () => {
    const history = Object.freeze([Object.freeze(old)]);
    changeZone(history, TOKYO, instant('2026-03-10T12:00Z'));
    expect(history).toEqual([old]);
  });

  it('after very many forgets the oldest', () => {
    let history: readonly ZonePeriod[] = [];
    for (let day = 0; day <= ZONE_HISTORY_LIMIT; day += 1) {
      history = changeZone(history, day % 2 === 0 ? BERLIN : TOKYO, instant('2026-01-01T12:00Z') + day * 24 * HOUR);
    }
    expect(history).toHaveLength(ZONE_HISTORY_LIMIT);
    expect(history[0]).toEqual(since('2026-01-02T12:00Z', TOKYO));
  });

  it('never lets a local day come twice, whatever the journey', () => {
    const journey = fc.array(fc.record({ zone: anyZone, at: anyInstant }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(journey, (reports) => {
        const sorted = reports.toSorted((a, b) => a.at - b.at);
        let history: readonly ZonePeriod[] = [];
        let latest = '';
        for (const [index, { zone, at }] of sorted.entries()) {
          history = changeZone(history, zone, at);
          const until = sorted[index + 1]?.at ?? at + 48 * HOUR;
          for (let now = at; now < until; now += HOUR / 2) {
            const today = localDate(now, zoneAt(history, now) as string);
            expect(today >= latest).toBe(true);
            latest = today;
          }
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('takes effect at the first instant when it repeats no day', () => {
    fc.assert(
      fc.property(anyZone, anyZone, anyInstant, (from, to, at) => {
        const effect = changeZone([{ from: 0, zone: from }], to, at)[1]?.from;
        if (effect === undefined || effect === at) return;
        expect(localDate(effect, to) >= localDate(effect, from)).toBe(true);
        expect(localDate(effect - 1, to) < localDate(effect - 1, from)).toBe(true);
        expect(localDate(at, to) < localDate(at, from)).toBe(true);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('a local day', () => {
  it.each<[string, string, string, string]>([
    ['UTC', '2026-06-15', '2026-06-15T00:00Z', '2026-06-16T00:00Z'],
    ['Pacific/Kiritimati', '2026-06-15', '2026-06-14T10:00Z', '2026-06-15T10:00Z'],
    ['Pacific/Pago_Pago', '2026-06-15', '2026-06-15T11:00Z', '2026-06-16T11:00Z'],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
    ['Africa/Cairo', '2026-10-29', '2026-10-28T21:00Z', '2026-10-29T22:00Z'],
    ['Atlantic/Azores', '2026-03-29', '2026-03-29T01:00Z', '2026-03-30T00:00Z'],
    ['America/Nuuk', '2026-03-28', '2026-03-28T02:00Z', '2026-03-29T01:00Z'],
    ['America/Nuuk', '2026-10-24', '2026-10-24T01:00Z', '2026-10-25T02:00Z'],
    ['Asia/Beirut', '2026-10-24', '2026-10-23T21:00Z', '2026-10-24T22:00Z'],
  ])('of %s, %s, is from %s to %s', (zone, date, start, after) => {
    expect([startOfDay(date, zone), startOfDay(dayAfter(date), zone)]).toEqual([instant(start), instant(after)]);
  });

  describe('does not depend on when it is asked for', () => {
    const { now } = Settings;
    afterEach(() => {
      Settings.now = now;
    });
    it.each<[string, string, string, string]>([
      ['Atlantic/Azores', '2026-10-25', '2026-10-25T00:00Z', '2026-10-26T01:00Z'],
      ['America/Havana', '2026-11-01', '2026-11-01T04:00Z', '2026-11-02T05:00Z'],
    ])('where midnight comes twice: %s, %s, is from %s to %s', (zone, date, start, after) => {
      const edges = [instant(start), instant(after)];
      for (const clock of [instant('2026-01-15'), instant('2026-07-15')]) {
        Settings.now = () => clock;
        expect([startOfDay(date, zone), startOfDay(dayAfter(date), zone)]).toEqual(edges);
      }
    });
  });

  it('begins where the one before ends, and holds just the instants of its date', () => {
    const first = instant('2025-01-01');
    const dates = fc.nat(800).map((day) => localDate(first + day * 24 * HOUR, 'UTC'));
    fc.assert(
      fc.property(dates, anyZone, (date, zone) => {
        const [start, after] = [startOfDay(date, zone), startOfDay(dayAfter(date), zone)];
        const around = [start - 1, start, after - 1, after].map((at) => localDate(at, zone) === date);
        expect(around).toEqual([false, true, true, false]);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe('a zone', () => {
  it.each(['UTC', BERLIN, 'America/Argentina/Buenos_Aires', 'Etc/GMT+12', KIRITIMATI])('may be %s', (zone) => {
    expect(isZone(zone)).toBe(true);
  });

  it.each(['', 'local', 'System', 'default', 'Berlin', 'CEST', '2', 'Europe/Berlin '])('may not be "%s"', (zone) => {
    expect(isZone(zone)).toBe(false);
  });

  it.each(['UTC+99', 'utc-30:00'])('may not be farther from UTC than any place on Earth: %s', (zone) => {
    expect(isZone(zone)).toBe(false);
  });

  it('that does not exist has no dates', () => {
    expect(() => localDate(0, 'Nowhere/Land')).toThrow(RangeError);
  });
});
