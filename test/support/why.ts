import { timestampMs } from '@bufbuild/protobuf/wkt';
import { LimitKind, type TriggerExplanation, WhyNot } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import {
  type Boost,
  type MetricTrigger,
  Period,
  Rounding,
  type Trigger,
  TriggerStatus,
} from '../../src/gen/guerdon/v1/types_pb.ts';

// What an explanation must say, from the economy as the API lists it and whole numbers alone: nothing of src/rules.

type Fraction = readonly [numerator: bigint, denominator: bigint];
type Attributes = Readonly<Record<string, string>>;

export function fraction(decimal: string): Fraction {
  const [whole = '', digits = ''] = decimal.replace('-', '').split('.');
  const number = BigInt(whole + digits);
  return [decimal.startsWith('-') ? -number : number, 10n ** BigInt(digits.length)];
}

/** How many multiples of the threshold are at or below a number that is not negative. */
export function multiples(number: string, threshold: string): bigint {
  const [a, b] = fraction(number);
  const [c, d] = fraction(threshold);
  return (a * d) / (b * c);
}

export interface Occasion {
  user: string;
  userAttributes: Attributes;
  attributes: Attributes;
  /** Epoch milliseconds. */
  at: number;
}

const matches = (filters: readonly { key: string; value: string }[], attributes: Attributes) =>
  filters.every(({ key, value }) => attributes[key] === value);

/** What a trigger on a metric must say of itself: why it did not fire, or that it did. */
export function reasonOf(trigger: Trigger, told: TriggerExplanation, occasion: Occasion): WhyNot {
  const { eventAttributes, threshold } = trigger.type.value as MetricTrigger;
  if (!matches(eventAttributes, occasion.attributes)) return WhyNot.EVENT_ATTRIBUTES;
  if (trigger.status === TriggerStatus.INACTIVE) return WhyNot.INACTIVE;
  if (!matches(trigger.userAttributes, occasion.userAttributes)) return WhyNot.USER_ATTRIBUTES;
  const passed = multiples(told.highAfter, threshold) - multiples(told.highBefore, threshold);
  return passed > 0n ? WhyNot.UNSPECIFIED : WhyNot.BELOW_THRESHOLD;
}

/** The boosts that multiply an award; of exclusive ones the best alone. */
export function boostsThen(boosts: readonly Boost[], { user, userAttributes, at }: Occasion): readonly Boost[] {
  const open = boosts.filter(
    (boost) =>
      (boost.userId === '' || boost.userId === user) &&
      matches(boost.userAttributes, userAttributes) &&
      boost.startTime !== undefined &&
      timestampMs(boost.startTime) <= at &&
      (boost.endTime === undefined || at < timestampMs(boost.endTime)),
  );
  const best = open.filter(({ exclusive }) => exclusive).sort(better)[0];
  return best === undefined ? open : [best];
}

function better(one: Boost, other: Boost): number {
  const [a, b] = fraction(one.multiplier);
  const [c, d] = fraction(other.multiplier);
  return a * d === c * b ? (one.id < other.id ? -1 : 1) : a * d > c * b ? -1 : 1;
}

/** base × the product of the boosts, at most × the ceiling, rounded once. */
export function boosted(base: bigint, boosts: readonly Boost[], ceiling: string): bigint {
  if (boosts.length === 0) return base;
  let [number, scale] = boosts
    .map(({ multiplier }) => fraction(multiplier))
    .reduce(([a, b], [c, d]): Fraction => [a * c, b * d], [1n, 1n]);
  const [most, of] = fraction(ceiling === '' ? '1' : ceiling);
  if (ceiling !== '' && number * of > most * scale) [number, scale] = [most, of];
  const whole = (base * number) / scale;
  const rest = (base * number) % scale;
  const up = { [Rounding.UP]: rest > 0n, [Rounding.NEAREST]: 2n * rest >= scale };
  return whole + (up[roundingOf(boosts) as keyof typeof up] ? 1n : 0n);
}

export function roundingOf(boosts: readonly Boost[]): Rounding {
  const all = new Set(boosts.map(({ rounding }) => rounding));
  return boosts.length === 0 ? Rounding.UNSPECIFIED : all.size === 1 ? ([...all][0] as Rounding) : Rounding.DOWN;
}

interface Paid extends Occasion {
  amount: bigint;
}

/** What triggers with limits have paid, in the order in which they paid it. */
export class PaidLog {
  readonly #paid = new Map<string, Paid[]>();

  /** What the limits of the trigger hold back of so many points, and by which of them. */
  heldBack(trigger: Trigger, points: bigint, occasion: Occasion) {
    const { awards, points: most, cooldown, oncePer = '' } = (trigger.type.value as MetricTrigger).limits ?? {};
    const paid = this.#paid.get(`${trigger.id} ${occasion.user}`) ?? [];
    const within = (per: Period) => paid.filter(({ at }) => periodOf(per, at) === periodOf(per, occasion.at));
    if (awards !== undefined) {
      const used = BigInt(within(awards.per).length);
      if (used >= awards.most) return { by: LimitKind.AWARDS, held: points, used, most: awards.most };
    }
    const apart = Number(cooldown?.seconds ?? 0n) * 1_000;
    if (paid.some(({ at }) => Math.abs(at - occasion.at) < apart)) return { by: LimitKind.COOLDOWN, held: points };
    const value = occasion.attributes[oncePer];
    const again = paid.some(({ attributes }) => attributes[oncePer] === value);
    if (oncePer !== '' && (value === undefined || again)) return { by: LimitKind.ONCE, held: points };
    if (most !== undefined) {
      const used = within(most.per).reduce((sum, { amount }) => (amount > 0n ? sum + amount : sum), 0n);
      const room = most.most > used ? most.most - used : 0n;
      if (points > room) return { by: LimitKind.POINTS, held: points - room, used, most: most.most };
    }
    return { by: LimitKind.UNSPECIFIED, held: 0n };
  }

  add(trigger: Trigger, occasion: Occasion, amount: bigint): void {
    const key = `${trigger.id} ${occasion.user}`;
    this.#paid.set(key, [...(this.#paid.get(key) ?? []), { ...occasion, amount }]);
  }
}

const DAY_MS = 86_400_000;

/** In UTC; weeks from Monday. */
function periodOf(per: Period, at: number): string {
  if (per === Period.HOUR) return String(Math.floor(at / 3_600_000));
  if (per === Period.MONTH) return new Date(at).toISOString().slice(0, 7);
  // The first day of 1970 was a Thursday.
  const day = Math.floor(at / DAY_MS);
  return per === Period.DAY ? String(day) : String(Math.floor((day + 3) / 7));
}
