import type { Instant } from '../rules/types.ts';

/**
 * What changed a balance, where its awards can be read: an event, a user who became known, a spend or adjustment, a completed
 * achievement, what was due by the clock, or, without any award, an import.
 */
export interface Cause {
  kind: 'event' | 'user' | 'transaction' | 'completion' | 'settlement' | 'import';
  id: string;
  /** Version of the program that decided it. */
  program: number;
}

/** A change of a user's balance in one points system, by one cause or by several that are told together. */
export interface PointsChange {
  system: string;
  /** Points: the change, and the balance after it. */
  added: string;
  total: string;
  /** Keys of the levels before and after; null: none. */
  from: string | null;
  to: string | null;
  /** In their order. */
  causes: readonly Cause[];
}

/** Of very many causes that are told together, so many are named: the last ones. */
const CAUSES_MAX = 100;

/** Two changes as one. */
export function together(first: PointsChange, second: PointsChange): PointsChange {
  return {
    ...second,
    added: String(BigInt(first.added) + BigInt(second.added)),
    from: first.from,
    causes: [...first.causes, ...second.causes].slice(-CAUSES_MAX),
  };
}

/** A change that is to be told. */
export interface Told {
  eventId: string;
  payload: PointsChange;
  createdAt: Instant;
}

/** When the next change of a user and points system may be told, and what has gathered until then. */
export interface Hold {
  until: Instant;
  held: Told | null;
}

/** A change is told at once, where the last one was told long enough ago, or else held and told with those before it. */
export function admit(
  hold: Hold | undefined,
  change: Told,
  { now, intervalMs }: { now: Instant; intervalMs: number },
): { told: Told | null; hold: Hold } {
  const held = hold?.held ?? null;
  const all = held === null ? change : { ...change, payload: together(held.payload, change.payload) };
  if (hold !== undefined && now < hold.until) return { told: null, hold: { until: hold.until, held: all } };
  return { told: all, hold: { until: now + intervalMs, held: null } };
}
