import { formatDecimal, parseDecimal } from './decimal.ts';
import type {
  Account,
  Applied,
  AppliedBoost,
  AttributeFilter,
  Counter,
  Fired,
  Held,
  NotFired,
  Rounding,
  SystemChange,
  Usage,
  UserBoost,
  WhyNot,
} from './types.ts';

/**
 * The course of a decision as it is stored with its event: codes, and numbers as strings. Fields at their usual value
 * are left out, since every event carries one. Totals and program version are columns of the event itself.
 */
export interface DecisionRecord {
  fired?: FiredRecord[];
  not?: NotFiredRecord[];
  systems?: SystemRecord[];
  user?: Record<string, string | null>;
  boosts?: UserBoostRecord[];
  zone?: string;
  /** Milliseconds. */
  created?: number;
}

interface FiredRecord {
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

interface NotFiredRecord {
  trigger: string;
  system: string;
  why: WhyNot;
  clause?: string;
  counter?: CounterRecord;
}

/** Total and high-water mark before, then after. */
type CounterRecord = [string, string, string, string];

interface SystemRecord {
  system: string;
  /** Balance, earned, version. */
  before: [string, string, string];
  after: [string, string, string];
  levels?: [string | null, string | null];
}

interface UserBoostRecord {
  id: string;
  system: string;
  multiplier: string;
  rounding: Rounding;
  exclusive?: true;
  filters?: readonly AttributeFilter[];
  window: UserBoost['window'];
}

export function toRecord(decision: Applied): DecisionRecord {
  const { fired, notFired, systems, consulted, userBoosts, zone, created } = decision;
  return {
    ...(fired.length > 0 && { fired: fired.map(firedRecord) }),
    ...(notFired.length > 0 && { not: notFired.map(notFiredRecord) }),
    ...(systems.length > 0 && { systems: systems.map(systemRecord) }),
    ...(Object.keys(consulted).length > 0 && { user: { ...consulted } }),
    ...(userBoosts.length > 0 && { boosts: userBoosts.map(userBoostRecord) }),
    ...(zone !== null && { zone }),
    ...(created !== null && { created }),
  };
}

/** The decision that `toRecord` wrote, but for what the event's columns hold. */
export function fromRecord(record: DecisionRecord, columns: Pick<Applied, 'programVersion' | 'counter'>): Applied {
  return {
    outcome: 'applied',
    ...columns,
    fired: (record.fired ?? []).map(readFired),
    notFired: (record.not ?? []).map(readNotFired),
    systems: (record.systems ?? []).map(readSystem),
    consulted: record.user ?? {},
    userBoosts: (record.boosts ?? []).map(readUserBoost),
    zone: record.zone ?? null,
    created: record.created ?? null,
  };
}

function firedRecord(fired: Fired): FiredRecord {
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

function readFired(record: FiredRecord): Fired {
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

function notFiredRecord(not: NotFired): NotFiredRecord {
  return {
    trigger: not.triggerId,
    system: not.systemId,
    why: not.why,
    ...(not.clause !== undefined && { clause: not.clause }),
    ...(not.counter !== undefined && { counter: counterRecord(not.counter) }),
  };
}

function readNotFired(record: NotFiredRecord): NotFired {
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

function systemRecord(change: SystemChange): SystemRecord {
  const { systemId, before, after, levelBefore, levelAfter } = change;
  return {
    system: systemId,
    before: accountRecord(before),
    after: accountRecord(after),
    ...((levelBefore !== null || levelAfter !== null) && { levels: [levelBefore, levelAfter] as [null, null] }),
  };
}

function readSystem(record: SystemRecord): SystemChange {
  const [levelBefore, levelAfter] = record.levels ?? [null, null];
  return {
    systemId: record.system,
    before: readAccount(record.before),
    after: readAccount(record.after),
    levelBefore,
    levelAfter,
  };
}

function accountRecord({ balance, earned, version }: Account): [string, string, string] {
  return [String(balance), String(earned), String(version)];
}

function readAccount([balance, earned, version]: [string, string, string]): Account {
  return { balance: BigInt(balance), earned: BigInt(earned), version: BigInt(version) };
}

function userBoostRecord(boost: UserBoost): UserBoostRecord {
  return {
    id: boost.id,
    system: boost.systemId,
    multiplier: formatDecimal(boost.multiplier),
    rounding: boost.rounding,
    ...(boost.exclusive && { exclusive: true as const }),
    ...(boost.userAttributes.length > 0 && { filters: boost.userAttributes }),
    window: boost.window,
  };
}

/** All but the name, which decides nothing and may be personal. */
function readUserBoost(record: UserBoostRecord): UserBoost {
  return {
    id: record.id,
    systemId: record.system,
    name: '',
    multiplier: parseDecimal(record.multiplier),
    rounding: record.rounding,
    exclusive: record.exclusive ?? false,
    userAttributes: record.filters ?? [],
    window: record.window,
  };
}
