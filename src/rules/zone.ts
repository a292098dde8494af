import { DateTime, IANAZone } from 'luxon';
import type { Instant, ZonePeriod } from './types.ts';

/** More changes than this are forgotten, the oldest first; the oldest kept then covers the time before. */
export const ZONE_HISTORY_LIMIT = 32;

/** No place on Earth is or was as far from UTC, in milliseconds. */
const OFFSET_LIMIT = 16 * 3_600_000;

const DAY_MS = 24 * 3_600_000;

/** A day has at most this many candidates for a zone change to take effect; see `changeZone`. */
const DAYS_SEARCHED = 3;

/** There are fewer zones than this, with all their other names. */
const ZONES_REMEMBERED = 1_000;
const remembered = new Set<string>();

/** Luxon keeps something for every name that it was ever asked for, and names come from anywhere. */
function inZone(at: Instant, zone: string): DateTime {
  if (!remembered.has(zone)) {
    if (remembered.size === ZONES_REMEMBERED) {
      remembered.clear();
      IANAZone.resetCache();
    }
    remembered.add(zone);
  }
  return DateTime.fromMillis(at, { zone });
}

/** The user's zone in force at an instant, or null when none was ever given. */
export function zoneAt(zones: readonly ZonePeriod[], at: Instant): string | null {
  let zone = zones[0]?.zone ?? null;
  for (const period of zones) if (period.from <= at) zone = period.zone;
  return zone;
}

/** `YYYY-MM-DD` of an instant in an IANA zone. */
export function localDate(at: Instant, zone: string): string {
  const date = inZone(at, zone).toISODate();
  if (date === null) throw new RangeError(`not a time zone: ${JSON.stringify(zone)}`);
  return date;
}

/**
 * The first instant of a day `YYYY-MM-DD` in a zone, or of the next day that exists. Searched for where clocks change:
 * of a midnight that comes twice, luxon takes the one whose offset is in force today, by the clock.
 */
export function startOfDay(date: string, zone: string): Instant {
  const name = `${date} ${zone}`;
  let at = starts.get(name);
  if (at === undefined) {
    at = findStart(date, zone);
    if (starts.size === STARTS_REMEMBERED) starts.clear();
    starts.set(name, at);
  }
  return at;
}

/** The same few days are asked for again and again, and each takes long to find. */
const STARTS_REMEMBERED = 10_000;
const starts = new Map<string, Instant>();

function findStart(date: string, zone: string): Instant {
  const midnight = utcMidnight(date);
  let before = midnight - OFFSET_LIMIT;
  let within = midnight + OFFSET_LIMIT;
  const { offset } = inZone(before, zone);
  if (inZone(within, zone).offset === offset) return midnight - offset * 60_000;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (localDate(middle, zone) < date) before = middle;
    else within = middle;
  }
  return within;
}

/** The first instant at which the date of somebody with this history of zones is `date` or later; no zone: the project's. */
export function reaches(date: string, zones: readonly ZonePeriod[], projectZone: string): Instant {
  if (zones.length === 0) return startOfDay(date, projectZone);
  let at = 0;
  for (const [index, { from, zone }] of zones.entries()) {
    at = Math.max(startOfDay(date, zone), index === 0 ? Number.NEGATIVE_INFINITY : from);
    if (at < (zones[index + 1]?.from ?? Number.POSITIVE_INFINITY)) break;
  }
  return at;
}

/** The day after a day `YYYY-MM-DD`. */
export function dayAfter(date: string): string {
  return DateTime.fromISO(date, { zone: 'utc' }).plus({ days: 1 }).toISODate() as string;
}

/** The instant at which a day `YYYY-MM-DD` begins in UTC. */
export function utcMidnight(date: string): Instant {
  return DateTime.fromISO(date, { zone: 'utc' }).toMillis();
}

/** The Monday of the week of a day `YYYY-MM-DD`; ISO 8601. */
export function weekOf(date: string): string {
  return DateTime.fromISO(date, { zone: 'utc' }).startOf('week').toISODate() as string;
}

export type Calendar = 'day' | 'week' | 'month';

/** The first days of the periods that hold any of the days from `start` to `end`, and of the one after the last. */
export function periodStarts(start: string, end: string, calendar: Calendar): string[] {
  const last = DateTime.fromISO(end, { zone: 'utc' });
  const starts: string[] = [];
  let at = DateTime.fromISO(start, { zone: 'utc' }).startOf(calendar);
  for (; at <= last; at = at.plus({ [`${calendar}s`]: 1 })) starts.push(at.toISODate() as string);
  return [...starts, at.toISODate() as string];
}

/** Days from 1970-01-01 to a day `YYYY-MM-DD`. */
export function dayNumber(date: string): number {
  return daysBetween('1970-01-01', date);
}

/** The day `YYYY-MM-DD` of this number. */
export function dateOfDay(day: number): string {
  return DateTime.fromMillis(day * DAY_MS, { zone: 'utc' }).toISODate() as string;
}

/** How many days `end` is after `start`; negative: before it. */
export function daysBetween(start: string, end: string): number {
  return Math.round((utcMidnight(end) - utcMidnight(start)) / DAY_MS);
}

/** Whether the text is a day of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;
}

/** Whether the zone is one that dates can be computed in. */
export function isZone(zone: string): boolean {
  const { isValid, offset } = inZone(0, zone);
  return isValid && Math.abs(offset) * 60_000 < OFFSET_LIMIT && !/^(local|system|default)$/i.test(zone);
}

/**
 * The history after the user reports `zone` at `at`. The new zone takes effect at the first instant when its local date
 * is not before the old zone's, so that no day begins twice; a move for which there is no such instant within three
 * days (24 hours westward or more) leaves the old zone in force.
 * `appliedAt`, not before `at`: a report that comes late forgets no zone that is in force by then.
 */
export function changeZone(
  zones: readonly ZonePeriod[],
  zone: string,
  at: Instant,
  appliedAt: Instant = at,
): readonly ZonePeriod[] {
  const settled = zones.filter((period, index) => index === 0 || period.from <= appliedAt);
  const old = settled.at(-1);
  if (old === undefined) return [{ from: at, zone }];
  if (old.zone === zone) return settled;
  const from = effectiveFrom(old.zone, zone, Math.max(at, settled.length > 1 ? old.from : at));
  if (from === undefined) return settled;
  return [...settled, { from, zone }].slice(-ZONE_HISTORY_LIMIT);
}

function effectiveFrom(oldZone: string, newZone: string, at: Instant): Instant | undefined {
  const notBefore = (instant: Instant) => localDate(instant, newZone) >= localDate(instant, oldZone);
  if (notBefore(at)) return at;
  const today = inZone(at, oldZone).startOf('day');
  for (let day = 0; day < DAYS_SEARCHED; day += 1) {
    const midnight = startOfDay(today.plus({ days: day }).toISODate() as string, newZone);
    if (midnight >= at && notBefore(midnight)) return midnight;
  }
  return undefined;
}
