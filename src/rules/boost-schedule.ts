import type { DateWindow, Instant, InstantWindow, ZonePeriod } from './types.ts';
import { dayAfter, reaches, utcMidnight } from './zone.ts';

export type BoostStatus = 'scheduled' | 'active' | 'finished';

/** A window as instants: the end exclusive, or open. */
export interface Open {
  startsAt: Instant;
  endsAt: Instant | null;
}

/** The zones of the Earth reach from UTC−12 to UTC+14. */
const FIRST_ZONE_MS = 14 * 3_600_000;
const LAST_ZONE_MS = 12 * 3_600_000;

/**
 * When a window is open for a user with this history of zones: from the first instant at which the user's date is the
 * window's first day or later, to the first at which it is past the last.
 */
export function openForUser(
  window: InstantWindow | DateWindow,
  zones: readonly ZonePeriod[],
  projectZone: string,
): Open {
  if (window.kind === 'instants') return { startsAt: window.startTime, endsAt: window.endTime };
  const first = (date: string): Instant => reaches(date, window.zone === 'user' ? zones : [], projectZone);
  return { startsAt: first(window.start), endsAt: window.end === null ? null : first(dayAfter(window.end)) };
}

/** When a window is open for anybody: days of the users' zones begin where the Earth's first zone begins them. */
export function openForAnybody(window: InstantWindow | DateWindow, projectZone: string): Open {
  if (window.kind === 'instants' || window.zone === 'project') return openForUser(window, [], projectZone);
  return {
    startsAt: utcMidnight(window.start) - FIRST_ZONE_MS,
    endsAt: window.end === null ? null : utcMidnight(dayAfter(window.end)) + LAST_ZONE_MS,
  };
}

export function statusAt({ startsAt, endsAt }: Open, now: Instant): BoostStatus {
  if (endsAt !== null && endsAt <= now) return 'finished';
  return startsAt <= now ? 'active' : 'scheduled';
}

const ORDER: readonly BoostStatus[] = ['scheduled', 'active', 'finished'];

/**
 * The status to keep, and when to look at it again, once a boost that was shown as `was` has this window. Whatever has
 * to be announced is due, not done; a boost that is to come again, or goes on after its end, starts anew.
 */
export function reschedule(was: BoostStatus, open: Open, now: Instant): { status: BoostStatus; dueAt: Instant | null } {
  const status = ORDER.indexOf(was) > ORDER.indexOf(statusAt(open, now)) ? 'scheduled' : was;
  return { status, dueAt: dueAt(status, open) };
}

/** When a boost of this status and window is to be looked at next. */
export function dueAt(status: BoostStatus, open: Open): Instant | null {
  return { scheduled: open.startsAt, active: open.endsAt, finished: null }[status];
}
