import type { Held } from './decision.ts';
import type { Attributes, Instant, Limits, MetricTrigger, Period, Usage } from './types.ts';
import { localDate, weekOf } from './zone.ts';

export function isLimited({ awards, points, cooldown, oncePer }: Limits): boolean {
  return awards !== null || points !== null || cooldown !== null || oncePer !== null;
}

/** How usage is named: a trigger and one of its slots. */
export function usageKey(triggerId: string, slot: string): string {
  return `${triggerId} ${slot}`;
}

const HOUR_MS = 3_600_000;
const NOTHING: Usage = { awards: 0n, points: 0n, at: null };

/**
 * The slots of a trigger that an award at this instant would count in or be held against. Days, weeks and months are those
 * of the calendar in the zone, and are named by their dates, so that a traveller meets the same slot wherever the same day
 * is; hours are the same everywhere.
 */
export function slotsOf({ limits }: MetricTrigger, at: Instant, zone: string, attributes: Attributes): string[] {
  const { awards, points, cooldown, oncePer } = limits;
  const value = oncePer !== null && Object.hasOwn(attributes, oncePer) ? attributes[oncePer] : undefined;
  return [
    ...new Set([
      ...(awards === null ? [] : [periodSlot(awards.per, at, zone)]),
      ...(points === null ? [] : [periodSlot(points.per, at, zone)]),
      ...(cooldown === null ? [] : cooldownSlots(cooldown, at)),
      ...(value === undefined ? [] : [valueSlot(value)]),
    ]),
  ];
}

/** Whether the slots depend on the calendar, and so on a zone. */
export function needsZone({ awards, points }: Limits): boolean {
  return [awards, points].some((limit) => limit !== null && limit.per !== 'hour');
}

function periodSlot(per: Period, at: Instant, zone: string): string {
  if (per === 'hour') return `h:${Math.floor(at / HOUR_MS)}`;
  const day = localDate(at, zone);
  return per === 'day' ? `d:${day}` : per === 'week' ? `w:${weekOf(day)}` : `m:${day.slice(0, 7)}`;
}

/** Holds the latest award, whatever the cooldown was then. */
const LATEST = 'c:latest';

/**
 * Time in stretches as long as the cooldown: one holds one award at most, and only its neighbours can be too near. So
 * awards that come late are held against those of their own time.
 */
function cooldownSlots(cooldown: number, at: Instant): string[] {
  const stretch = Math.floor(at / cooldown);
  return [...[stretch - 1, stretch, stretch + 1].map((number) => `c${cooldown}:${number}`), LATEST];
}

function valueSlot(value: string): string {
  return `v:${value}`;
}

/** What the limits of a trigger leave of an award of `points`, all or part of it. */
export function holdBack(
  trigger: MetricTrigger,
  points: bigint,
  event: { at: Instant; attributes: Attributes },
  zone: string,
  usageOf: (slot: string) => Usage | undefined,
): { allowed: bigint; held: Held } {
  const { awards, points: most, cooldown, oncePer } = trigger.limits;
  const usage = new Map(
    slotsOf(trigger, event.at, zone, event.attributes).map((slot) => [slot, usageOf(slot) ?? NOTHING] as const),
  );
  const inSlot = (slot: string): Usage => usage.get(slot) ?? NOTHING;
  const nothing = (by: Held['by']) => ({ allowed: 0n, held: { by, usage } });
  if (awards !== null && inSlot(periodSlot(awards.per, event.at, zone)).awards >= awards.most) return nothing('awards');
  if (cooldown !== null) {
    const others = cooldownSlots(cooldown, event.at).map((slot) => inSlot(slot).at);
    if (others.some((at) => at !== null && Math.abs(at - event.at) < cooldown)) return nothing('cooldown');
  }
  if (oncePer !== null) {
    const value = Object.hasOwn(event.attributes, oncePer) ? event.attributes[oncePer] : undefined;
    // Else leaving the attribute out would be the way around the limit.
    if (value === undefined || inSlot(valueSlot(value)).awards > 0n) return nothing('once');
  }
  if (most !== null) {
    const used = inSlot(periodSlot(most.per, event.at, zone)).points;
    const room = most.most > used ? most.most - used : 0n;
    if (points > room) return { allowed: room, held: { by: 'points', usage } };
  }
  return { allowed: points, held: { by: null, usage } };
}

/** The usage after an award of `amount`, which is not 0: in every slot that counts it. */
export function countUsage(trigger: MetricTrigger, held: Held, amount: bigint, at: Instant): Map<string, Usage> {
  const own = trigger.limits.cooldown === null ? null : cooldownSlots(trigger.limits.cooldown, at)[1];
  const counted = [...held.usage].filter(([slot]) => !slot.startsWith('c') || slot === own || slot === LATEST);
  return new Map(
    counted.map(([slot, before]) => {
      const latest = slot === LATEST && before.at !== null && before.at > at ? before.at : at;
      const points = amount > 0n ? before.points + amount : before.points;
      return [slot, { awards: before.awards + 1n, points, at: latest }];
    }),
  );
}
