import { DECIMAL_ONE, formatScaled } from './decimal.ts';
import type { AppliedBoost } from './decision.ts';
import { firstMismatch } from './filter.ts';
import type { Attributes, Boost, DateWindow, Instant, InstantWindow, Rounding, System, ZonePeriod } from './types.ts';
import { localDate, zoneAt } from './zone.ts';

/** Which zone a window of dates is read in; the user's falls back to the project's. */
export function windowZone(window: DateWindow, zones: readonly ZonePeriod[], at: Instant, projectZone: string): string {
  return (window.zone === 'user' ? zoneAt(zones, at) : null) ?? projectZone;
}

/** Whether the window holds the instant. */
function isOpen(window: InstantWindow, at: Instant): boolean {
  return window.startTime <= at && (window.endTime === null || at < window.endTime);
}

/** Whether the window holds the day. */
function isDay(window: DateWindow, day: string): boolean {
  return window.start <= day && (window.end === null || day <= window.end);
}

export interface Multiplication {
  boosts: readonly AppliedBoost[];
  product: string;
  rounding: Rounding;
  boosted: bigint;
}

/** Boosts of the system that apply to a user with these attributes and zones at an instant. */
export function applicable<B extends Boost>(
  boosts: readonly B[],
  user: { attributes: Attributes; zones: readonly ZonePeriod[] },
  at: Instant,
  projectZone: string,
): readonly B[] {
  const dates = new Map<string, string>();
  const today = (zone: string): string => {
    const date = dates.get(zone) ?? localDate(at, zone);
    dates.set(zone, date);
    return date;
  };
  return boosts.filter(
    ({ userAttributes, window }) =>
      firstMismatch(userAttributes, user.attributes) === undefined &&
      (window.kind === 'instants'
        ? isOpen(window, at)
        : isDay(window, today(windowZone(window, user.zones, at, projectZone)))),
  );
}

/** base × the product of all boosts, exactly, rounded once. `base` is positive; without boosts it is unchanged. */
export function multiply(base: bigint, boosts: readonly Boost[], ceiling: System['boostCeiling']): Multiplication {
  const chosen = chooseExclusive(boosts);
  if (chosen.length === 0) return { boosts: [], product: '1', rounding: 'down', boosted: base };
  let numerator = 1n;
  for (const boost of chosen) numerator *= boost.multiplier;
  let denominator = DECIMAL_ONE ** BigInt(chosen.length);
  if (ceiling !== null && numerator * DECIMAL_ONE > ceiling * denominator) {
    numerator = ceiling;
    denominator = DECIMAL_ONE;
  }
  const rounding = commonRounding(chosen);
  return {
    boosts: chosen.map(({ id, multiplier }) => ({ id, multiplier })),
    product: formatScaled(numerator, denominator.toString().length - 1),
    rounding,
    boosted: roundQuotient(base * numerator, denominator, rounding),
  };
}

/** Where one boost is exclusive, the best exclusive one stands alone; of equals the one with the lowest id. */
function chooseExclusive(boosts: readonly Boost[]): readonly Boost[] {
  let best: Boost | undefined;
  for (const boost of boosts) {
    if (boost.exclusive && (best === undefined || isBetter(boost, best))) best = boost;
  }
  return best === undefined ? boosts : [best];
}

function isBetter(boost: Boost, other: Boost): boolean {
  return boost.multiplier > other.multiplier || (boost.multiplier === other.multiplier && boost.id < other.id);
}

function commonRounding(boosts: readonly Boost[]): Rounding {
  const first = boosts[0]?.rounding ?? 'down';
  return boosts.every((boost) => boost.rounding === first) ? first : 'down';
}

/** Both are positive. Halves go away from zero. */
function roundQuotient(numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n || rounding === 'down') return quotient;
  if (rounding === 'up') return quotient + 1n;
  return rest * 2n >= denominator ? quotient + 1n : quotient;
}
