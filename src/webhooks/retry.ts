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

/** A receiver may put off the next attempt by so much, and no more: it would else never be found dead. */
const ASKED_MAX_MS = 24 * HOUR;

/**
 * When to try again after `tries` attempts that failed; null: it is given up. `asked`: not before this instant, since the
 * receiver said so; `random` is uniform in [0, 1).
 */
export function retryAt(tries: number, now: Instant, random: number, asked: Instant | null = null): Instant | null {
  const delay = DELAYS_MS[tries - 1];
  if (delay === undefined) return null;
  const at = now + Math.round(delay * (1 - JITTER + 2 * JITTER * random));
  return asked === null ? at : Math.max(at, Math.min(asked, now + ASKED_MAX_MS));
}

/** Statuses with which a receiver may say when it will take calls again. */
const BUSY = new Set([429, 503]);

/** The instant before which a receiver wants no call, by its `Retry-After` (RFC 9110): seconds, or a date; null: it says none. */
export function askedFor(statusCode: number | null, retryAfter: string | undefined, now: Instant): Instant | null {
  if (statusCode === null || !BUSY.has(statusCode) || retryAfter === undefined) return null;
  const text = retryAfter.trim();
  if (/^\d+$/.test(text)) return now + Math.min(Number(text) * SECOND, ASKED_MAX_MS);
  const at = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** A webhook of which so many attempts failed, over so long, and none did not, is dead; by then no delivery was given up. */
export const DEAD_AFTER_MS = 72 * HOUR;
export const DEAD_FAILURES = 10;
