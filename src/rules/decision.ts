import type { Decimal } from './decimal.ts';
import type { Account, Completion, Counter, Instant, Rounding, StreakChange, Usage, UserBoost } from './types.ts';

export type WhyNot =
  | 'inactive'
  | 'event_attributes'
  | 'user_attributes'
  | 'below_threshold'
  | 'streak_too_short'
  | 'backdated';

export interface AppliedBoost {
  id: string;
  multiplier: Decimal;
}

/** A trigger that did not fire: why, and the filter key that failed or the counter that fell short. */
export interface NotFired {
  triggerId: string;
  systemId: string;
  why: WhyNot;
  clause?: string;
  counter?: { before: Counter; after: Counter };
}

/** What a limit kept an award from being, and what had been paid before it in the slots that it counts in. */
export interface Held {
  /** The limit that held something back; null: none did. */
  by: 'awards' | 'points' | 'cooldown' | 'once' | null;
  /** By slot, of all slots that were looked at. */
  usage: ReadonlyMap<string, Usage>;
}

/** A trigger that fired, from its points to the change of the balance. */
export interface Fired {
  triggerId: string;
  systemId: string;
  fires: bigint;
  /** fires × points. */
  base: bigint;
  boosts: readonly AppliedBoost[];
  /** The product of the boosts as a decimal string, after exclusivity and ceiling; '1' without boosts. */
  product: string;
  rounding: Rounding;
  /** base × product, rounded. */
  boosted: bigint;
  /** Points that cap or floor left room for; null: no limit was in question. */
  room: bigint | null;
  /** What is posted, 0 when everything was withheld. */
  amount: bigint;
  withheld: bigint;
  balanceAfter: bigint;
  /** Of the ledger entry; null when `amount` is 0, since there is none then. */
  version: bigint | null;
  counter?: { before: Counter; after: Counter };
  /** Of a trigger with limits. */
  held?: Held;
  /** The instant that this award is judged at, where it is not the event's. */
  at?: Instant;
}

/** What a level gave for being reached for the first time. */
export interface Reward {
  /** Of the level. */
  systemId: string;
  levelKey: string;
  /** Where the points go. */
  targetId: string;
  points: bigint;
  /** What is posted; the rest did not fit under the cap. */
  amount: bigint;
  balanceAfter: bigint;
  /** Of the ledger entry; null when `amount` is 0. */
  version: bigint | null;
}

export interface SystemChange {
  systemId: string;
  before: Account;
  after: Account;
  /** Level keys; null: below every level. */
  levelBefore: string | null;
  levelAfter: string | null;
}

export interface Applied {
  outcome: 'applied';
  programVersion: number;
  counter: { before: Counter; after: Counter };
  fired: readonly Fired[];
  notFired: readonly NotFired[];
  rewards: readonly Reward[];
  /** Levels that were reached and had rewarded the user before, as `levelName` writes them. */
  again: readonly string[];
  /** Systems in which at least one trigger fired, or that a level rewarded in. */
  systems: readonly SystemChange[];
  /** User attributes that filters asked for; null: the user has none of that name. */
  consulted: Readonly<Record<string, string | null>>;
  /** The user's own boosts that applied, so that the decision can be made again when they have changed. */
  userBoosts: readonly UserBoost[];
  /** The zone that days were read in; null: none was needed. */
  zone: string | null;
  /** The instant of the user's creation, where a trigger asked for it. */
  created: Instant | null;
  /** Null: the event is none that streaks count. */
  streak: StreakChange | null;
  completed: readonly Completion[];
}

export type RefusalCode =
  | 'OUT_OF_POINTS'
  | 'ABOVE_CAP'
  | 'TOTAL_OUT_OF_RANGE'
  | 'BALANCE_OUT_OF_RANGE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'POINTS_SYSTEM_UNKNOWN'
  | 'USER_EXISTS'
  | 'USER_UNKNOWN'
  | 'ACHIEVEMENT_UNKNOWN'
  | 'ACHIEVEMENT_NOT_FOR_USER'
  | 'IMPORT_DIFFERS';

/** A result, not an exception: nothing changes. `detail` holds codes and numbers for the message. */
export interface Refused {
  outcome: 'refused';
  code: RefusalCode;
  programVersion: number;
  detail: Readonly<Record<string, string>>;
}

export type Decision = Applied | Refused;
