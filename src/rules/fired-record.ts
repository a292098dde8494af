import { formatDecimal, parseDecimal } from './decimal.ts';
import type { AppliedBoost, Fired, Held, NotFired, WhyNot } from './decision.ts';
import type { Counter, Rounding, Usage } from './types.ts';

export interface FiredRecord {
  trigger: string;
  system: string;
  fires: string;
  base: string;
  boosts?: [id: string, multiplier: string][];
  product?: string;
  rounding?: Rounding;
  boosted?: string;
  room?: string;
  amount: string;
  withheld?: string;
  balance: string;
  version?: string;
  counter?: CounterRecord;
  held?: HeldRecord;
  /** Milliseconds; absent: the event's instant. */
  at?: number;
}

interface HeldRecord {
  by?: Held['by'] & string;
  /** By slot: awards, points, instant of the last one. */
  usage: Record<string, [string, string, number | null]>;
}

export interface NotFiredRecord {
  trigger: string;
  system: string;
  why: WhyNot;
  clause?: string;
  counter?: CounterRecord;
}

/** Total and high-water mark before, then after. */
type CounterRecord = [string, string, string, string];

/** A trigger that fired, as it is stored. */
export function firedRecord(fired: Fired): FiredRecord {
  return {
    trigger: fired.triggerId,
    system: fired.systemId,
    fires: String(fired.fires),
    base: String(fired.base),
    ...(fired.boosts.length > 0 && {
      boosts: fired.boosts.map(({ id, multiplier }): [string, string] => [id, formatDecimal(multiplier)]),
      product: fired.product,
      rounding: fired.rounding,
      boosted: String(fired.boosted),
    }),
    ...(fired.room !== null && { room: String(fired.room) }),
    amount: String(fired.amount),
    ...(fired.withheld !== 0n && { withheld: String(fired.withheld) }),
    balance: String(fired.balanceAfter),
    ...(fired.version !== null && { version: String(fired.version) }),
    ...(fired.counter !== undefined && { counter: counterRecord(fired.counter) }),
    ...(fired.held !== undefined && { held: heldRecord(fired.held) }),
    ...(fired.at !== undefined && { at: fired.at }),
  };
}

function heldRecord({ by, usage }: Held): HeldRecord {
  const slots = [...usage].map(([slot, { awards, points, at }]) => [slot, [String(awards), String(points), at]]);
  return { ...(by !== null && { by }), usage: Object.fromEntries(slots) };
}

function readHeld({ by, usage }: HeldRecord): Held {
  const slots = Object.entries(usage).map(([slot, [awards, points, at]]): [string, Usage] => [
    slot,
    { awards: BigInt(awards), points: BigInt(points), at },
  ]);
  return { by: by ?? null, usage: new Map(slots) };
}

export function readFired(record: FiredRecord): Fired {
  return {
    triggerId: record.trigger,
    systemId: record.system,
    fires: BigInt(record.fires),
    base: BigInt(record.base),
    boosts: (record.boosts ?? []).map(
      ([id, multiplier]): AppliedBoost => ({ id, multiplier: parseDecimal(multiplier) }),
    ),
    product: record.product ?? '1',
    rounding: record.rounding ?? 'down',
    boosted: BigInt(record.boosted ?? record.base),
    room: record.room === undefined ? null : BigInt(record.room),
    amount: BigInt(record.amount),
    withheld: BigInt(record.withheld ?? 0),
    balanceAfter: BigInt(record.balance),
    version: record.version === undefined ? null : BigInt(record.version),
    ...(record.counter !== undefined && { counter: readCounter(record.counter) }),
    ...(record.held !== undefined && { held: readHeld(record.held) }),
    ...(record.at !== undefined && { at: record.at }),
  };
}

/** A trigger that did not fire, as it is stored. */
export function notFiredRecord(not: NotFired): NotFiredRecord {
  return {
    trigger: not.triggerId,
    system: not.systemId,
    why: not.why,
    ...(not.clause !== undefined && { clause: not.clause }),
    ...(not.counter !== undefined && { counter: counterRecord(not.counter) }),
  };
}

export function readNotFired(record: NotFiredRecord): NotFired {
  return {
    triggerId: record.trigger,
    systemId: record.system,
    why: record.why,
    ...(record.clause !== undefined && { clause: record.clause }),
    ...(record.counter !== undefined && { counter: readCounter(record.counter) }),
  };
}

function counterRecord({ before, after }: { before: Counter; after: Counter }): CounterRecord {
  return [
    formatDecimal(before.total),
    formatDecimal(before.high),
    formatDecimal(after.total),
    formatDecimal(after.high),
  ];
}

function readCounter([totalBefore, highBefore, totalAfter, highAfter]: CounterRecord) {
  return {
    before: { total: parseDecimal(totalBefore), high: parseDecimal(highBefore) },
    after: { total: parseDecimal(totalAfter), high: parseDecimal(highAfter) },
  };
}
