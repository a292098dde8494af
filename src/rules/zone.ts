import { DateTime } from 'luxon';
import type { Instant, ZonePeriod } from './types.ts';

/** More changes than this are forgotten, the oldest first; the oldest kept then covers the time before. */
export const ZONE_HISTORY_LIMIT = 32;

/** A day has at most this many candidates for a zone change to take effect; see `changeZone`. */
const DAYS_SEARCHED = 3;

/** The user's zone in force at an instant, or null when none was ever given. */
export function zoneAt(zones: readonly ZonePeriod[], at: Instant): string | null {
  let zone = zones[0]?.zone ?? null;
  for (const period of zones) if (period.from <= at) zone = period.zone;
  return zone;
}

/** `YYYY-MM-DD` of an instant in an IANA zone. */
export function localDate(at: Instant, zone: string): string {
  return DateTime.fromMillis(at, { zone }).toFormat('yyyy-MM-dd');
}

/** The first instant of a day `YYYY-MM-DD` in a zone, also where clocks skip midnight. */
export function startOfDay(date: string, zone: string): Instant {
  return DateTime.fromISO(date, { zone }).startOf('day').toMillis();
}

/** The first instant after a day `YYYY-MM-DD` in a zone. */
export function endOfDay(date: string, zone: string): Instant {
  return DateTime.fromISO(date, { zone }).plus({ days: 1 }).startOf('day').toMillis();
}

/** Whether the zone is one that dates can be computed in. */
export function isZone(zone: string): boolean {
  return DateTime.fromMillis(0, { zone }).isValid && !/^(local|system|default)$/i.test(zone);
}

/**
 * The history after the user reports `zone` at `at`. The new zone takes effect at the first instant when its local date
 * is not before the old zone's, so that no day begins twice; a move for which there is no such instant within three
 * days (more than 24 hours westward) leaves the old zone in force.
 */
export function changeZone(zones: readonly ZonePeriod[], zone: string, at: Instant): readonly ZonePeriod[] {
  const settled = zones.filter((period, index) => index === 0 || period.from <= at);
  const old = settled.at(-1);
  if (old === undefined) return [{ from: at, zone }];
  if (old.zone === zone) return settled;
  const from = effectiveFrom(old.zone, zone, at);
  if (from === undefined) return settled;
  return [...settled, { from, zone }].slice(-ZONE_HISTORY_LIMIT);
}

function effectiveFrom(oldZone: string, newZone: string, at: Instant): Instant | undefined {
  const notBefore = (instant: Instant) => localDate(instant, newZone) >= localDate(instant, oldZone);
  if (notBefore(at)) return at;
  const today = DateTime.fromMillis(at, { zone: oldZone }).startOf('day');
  for (let day = 0; day < DAYS_SEARCHED; day += 1) {
    const midnight = startOfDay(today.plus({ days: day }).toISODate() as string, newZone);
    if (midnight >= at && notBefore(midnight)) return midnight;
  }
  return undefined;
}
