import type { Frequency, Instant, StreakChange, StreakRun, ZonePeriod } from './types.ts';
import { dateOfDay, dayNumber, localDate, reaches } from './zone.ts';

/** 1970 began on a Thursday, three days after a Monday. */
const MONDAY_OFFSET = 3;
const DAYS_OF_WEEK = 7;
const MONTHS = 12;

/** The number of the day, week (from Monday) or month that an instant is in; each is one more than the one before. */
export function periodOf(at: Instant, zone: string, frequency: Frequency): number {
  const date = localDate(at, zone);
  if (frequency === 'monthly') return Number(date.slice(0, 4)) * MONTHS + Number(date.slice(5, 7)) - 1;
  const day = dayNumber(date);
  return frequency === 'daily' ? day : Math.floor((day + MONDAY_OFFSET) / DAYS_OF_WEEK);
}

/** The first and the last day of a period, `YYYY-MM-DD`. */
export function daysOf(period: number, frequency: Frequency): { start: string; end: string } {
  if (frequency === 'monthly') {
    const next = firstOfMonth(period + 1);
    return { start: firstOfMonth(period), end: dateOfDay(dayNumber(next) - 1) };
  }
  if (frequency === 'daily') return { start: dateOfDay(period), end: dateOfDay(period) };
  const monday = period * DAYS_OF_WEEK - MONDAY_OFFSET;
  return { start: dateOfDay(monday), end: dateOfDay(monday + DAYS_OF_WEEK - 1) };
}

function firstOfMonth(period: number): string {
  const month = String((period % MONTHS) + 1).padStart(2, '0');
  return `${String(Math.floor(period / MONTHS)).padStart(4, '0')}-${month}-01`;
}

/** What it does to a user's runs that something was done in a period: it is there already, or joins its neighbours. */
export function extend(runs: readonly StreakRun[], period: number): StreakChange {
  const own = runs.find(({ first, last }) => first <= period && period <= last);
  if (own !== undefined) return { period, before: [own], after: own };
  const before = runs
    .filter(({ first, last }) => last === period - 1 || first === period + 1)
    .toSorted((a, b) => a.first - b.first);
  const after = { first: before[0]?.last === period - 1 ? before[0].first : period, last: period };
  const behind = before.find(({ first }) => first === period + 1);
  return { period, before, after: behind === undefined ? after : { ...after, last: behind.last } };
}

/** When a run is over for a user with these zones: the period after its last one has gone by without anything done. */
export function overAt(
  { last }: StreakRun,
  frequency: Frequency,
  zones: readonly ZonePeriod[],
  projectZone: string,
): Instant {
  return reaches(daysOf(last + 2, frequency).start, zones, projectZone);
}

/** How many periods a run has. */
export function lengthOf({ first, last }: StreakRun): number {
  return last - first + 1;
}

/** Whether the period had not counted before. */
export function isExtended({ before, after }: StreakChange): boolean {
  return before.reduce((sum, run) => sum + lengthOf(run), 0) !== lengthOf(after);
}

/**
 * How many multiples of `length` the run has that the runs it was made of had not: so, in whatever order periods come, a run
 * has paid once for each.
 */
export function multiplesPassed({ before, after }: StreakChange, length: number): bigint {
  const multiples = (run: StreakRun) => Math.floor(lengthOf(run) / length);
  return BigInt(multiples(after) - before.reduce((sum, run) => sum + multiples(run), 0));
}
