import type { Instant } from '../rules/types.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** From a failed attempt to the next one: after the first, after the second … After the last there is none. */
const DELAYS_MS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
  24 * HOUR,
  24 * HOUR,
] as const;

/** Attempts that a delivery gets before it is given up. */
export const TRIES_MAX = DELAYS_MS.length + 1;

/** Each delay is a fifth longer or shorter, so that what failed together does not come back together. */
const JITTER = 0.2;

/** When to try again after `tries` attempts that failed; null: it is given up. `random` is uniform in [0, 1). */
export function retryAt(tries: number, now: Instant, random: number): Instant | null {
  const delay = DELAYS_MS[tries - 1];
  return delay === undefined ? null : now + Math.round(delay * (1 - JITTER + 2 * JITTER * random));
}

/** A webhook of which so many attempts failed, over so long, and none did not, is dead; by then no delivery was given up. */
export const DEAD_AFTER_MS = 72 * HOUR;
export const DEAD_FAILURES = 10;
