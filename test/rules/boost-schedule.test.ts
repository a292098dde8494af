import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applicable } from '../../src/rules/boost.ts';
import { dueAt, openForAnybody, openForUser, reschedule, statusAt } from '../../src/rules/boost-schedule.ts';
import type { DateWindow, ZonePeriod } from '../../src/rules/types.ts';
import { changeZone, isDate, localDate, startOfDay } from '../../src/rules/zone.ts';
import { anyInstant, anyZone, boost, dates, instant, instants } from './build.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

const zone = (name: string): ZonePeriod[] => [{ from: instant('2020-01-01T00:00Z'), zone: name }];

describe('a window of days, as instants', () => {
  it.each<[string, string, DateWindow, string, string | null]>([
    ['UTC−11', 'Pacific/Pago_Pago', dates('2026-06-15', '2026-06-15'), '2026-06-15T11:00Z', '2026-06-16T11:00Z'],
    ['UTC+14', 'Pacific/Kiritimati', dates('2026-06-15', '2026-06-15'), '2026-06-14T10:00Z', '2026-06-15T10:00Z'],
    ['three quarters of an hour', 'Asia/Kathmandu', dates('2026-06-15', null), '2026-06-14T18:15Z', null],
    ['clocks go forward', 'Europe/Berlin', dates('2026-03-29', '2026-03-29'), '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['clocks go back', 'Europe/Berlin', dates('2026-10-25', '2026-10-25'), '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    [
      'midnight is skipped',
      'America/Santiago',
      dates('2026-09-06', '2026-09-06'),
      '2026-09-06T04:00Z',
      '2026-09-07T03:00Z',
    ],
    ['a leap day', 'Asia/Tokyo', dates('2028-02-29', '2028-02-29'), '2028-02-28T15:00Z', '2028-02-29T15:00Z'],
    ['the day before one', 'Asia/Tokyo', dates('2028-02-28', '2028-02-28'), '2028-02-27T15:00Z', '2028-02-28T15:00Z'],
    ['no leap day', 'UTC', dates('2100-02-28', '2100-02-28'), '2100-02-28T00:00Z', '2100-03-01T00:00Z'],
    ['of the project', 'Asia/Tokyo', dates('2026-06-15', null, 'project'), '2026-06-15T00:00Z', null],
  ])('%s', (_title, name, window, startsAt, endsAt) => {
    expect(openForUser(window, zone(name), 'UTC')).toEqual({
      startsAt: instant(startsAt),
      endsAt: endsAt === null ? null : instant(endsAt),
    });
  });

  it('begins once for somebody who flies east into the day, and ends once for one who flies west out of it', () => {
    const window = dates('2026-06-15', '2026-06-15');
    const east = changeZone(zone('America/New_York'), 'Asia/Tokyo', instant('2026-06-14T16:00Z'));
    expect(openForUser(window, east, 'UTC')).toEqual({
      startsAt: instant('2026-06-14T16:00Z'),
      endsAt: instant('2026-06-15T15:00Z'),
    });
    const west = changeZone(zone('Asia/Tokyo'), 'America/New_York', instant('2026-06-15T16:00Z'));
    expect(openForUser(window, west, 'UTC')).toEqual({
      startsAt: instant('2026-06-14T15:00Z'),
      endsAt: instant('2026-06-15T15:00Z'),
    });
  });

  it('is open just when the rules say so, whatever the journey', () => {
    const journey = fc.array(fc.record({ zone: anyZone, at: anyInstant }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(journey, fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 3 }), (reports, from, days) => {
        const sorted = reports.toSorted((a, b) => a.at - b.at);
        let zones: readonly ZonePeriod[] = [];
        for (const { zone: name, at } of sorted) zones = changeZone(zones, name, at);
        const middle = sorted[Math.floor(sorted.length / 2)]!.at + from * DAY;
        const window = dates(localDate(middle, 'UTC'), localDate(middle + days * DAY, 'UTC'));
        const open = openForUser(window, zones, 'UTC');
        const asked = [open.startsAt, open.endsAt as number, ...sorted.map(({ at }) => at), middle].flatMap((at) => [
          at - HOUR,
          at - 1,
          at,
          at + 1,
          at + HOUR,
        ]);
        const item = boost(2, { window });
        for (const at of asked) {
          const applies = applicable([item], { attributes: {}, zones }, at, 'UTC').length > 0;
          expect(applies).toBe(statusAt(open, at) === 'active');
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});

describe('a window for everybody', () => {
  it('is open from the first zone of the Earth to the last', () => {
    expect(openForAnybody(dates('2026-06-15', '2026-06-16'), 'Europe/Berlin')).toEqual({
      startsAt: startOfDay('2026-06-15', 'Pacific/Kiritimati'),
      endsAt: startOfDay('2026-06-17', 'Etc/GMT+12'),
    });
  });

  it('of the project’s days, or of instants, is the same for all', () => {
    const days = dates('2026-06-15', null, 'project');
    expect(openForAnybody(days, 'Europe/Berlin').startsAt).toBe(instant('2026-06-14T22:00Z'));
    const window = instants('2026-06-15T00:00Z', '2026-06-16T00:00Z');
    expect(openForAnybody(window, 'Asia/Tokyo')).toEqual({ startsAt: window.startTime, endsAt: window.endTime });
  });

  it('is open whenever it is open for anybody', () => {
    fc.assert(
      fc.property(anyZone, anyInstant, (name, at) => {
        const window = dates(localDate(at, 'UTC'), localDate(at + DAY, 'UTC'));
        const all = openForAnybody(window, 'UTC');
        const own = openForUser(window, zone(name), 'UTC');
        expect(all.startsAt).toBeLessThanOrEqual(own.startsAt);
        expect(all.endsAt).toBeGreaterThanOrEqual(own.endsAt as number);
      }),
      { seed: 12, numRuns: 300 },
    );
  });
});

describe('the status', () => {
  const open = { startsAt: 1_000, endsAt: 2_000 };
  it.each([
    [999, 'scheduled'],
    [1_000, 'active'],
    [1_999, 'active'],
    [2_000, 'finished'],
  ])('at %i is %s', (now, status) => expect(statusAt(open, now)).toBe(status));

  it('without an end is never finished', () => {
    expect(statusAt({ startsAt: 0, endsAt: null }, Number.MAX_SAFE_INTEGER)).toBe('active');
    expect(dueAt('active', { startsAt: 0, endsAt: null })).toBeNull();
  });

  it.each([
    ['scheduled', 500, 'scheduled', 1_000],
    ['scheduled', 1_500, 'scheduled', 1_000],
    ['active', 1_500, 'active', 2_000],
    ['active', 500, 'scheduled', 1_000],
    ['active', 2_500, 'active', 2_000],
    ['finished', 2_500, 'finished', null],
    ['finished', 1_500, 'scheduled', 1_000],
  ] as const)('of a boost that was %s, with a new window at %i, is %s and due at %s', (was, now, status, due) => {
    expect(reschedule(was, open, now)).toEqual({ status, dueAt: due });
  });
});

describe('a day', () => {
  it.each(['2026-06-15', '2028-02-29', '0001-01-01'])('may be %s', (text) => expect(isDate(text)).toBe(true));
  it.each(['2026-02-29', '2026-13-01', '2026-6-1', '20260615', '2026-W01-1', ''])('may not be "%s"', (text) =>
    expect(isDate(text)).toBe(false),
  );
});
