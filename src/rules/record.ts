import { formatDecimal, parseDecimal } from './decimal.ts';
import type { Applied, Reward, SystemChange } from './decision.ts';
import {
  type FiredRecord,
  firedRecord,
  type NotFiredRecord,
  notFiredRecord,
  readFired,
  readNotFired,
} from './fired-record.ts';
import type { Account, AttributeFilter, Completion, Rounding, StreakChange, StreakRun, UserBoost } from './types.ts';

/**
 * The course of a decision as it is stored with its event: codes, and numbers as strings. Fields at their usual value
 * are left out, since every event carries one. Totals and program version are columns of the event itself.
 */
export interface DecisionRecord extends RewardsRecord {
  fired?: FiredRecord[];
  not?: NotFiredRecord[];
  systems?: SystemRecord[];
  user?: Record<string, string | null>;
  boosts?: UserBoostRecord[];
  zone?: string;
  /** Milliseconds. */
  created?: number;
  /** The event's period, the runs before, the run after, as first and last period. */
  streak?: [period: number, before: [number, number][], after: [number, number]];
  /** Achievement ids; `true`: backdated. */
  completed?: [id: string, backdated?: true][];
}

/** What levels gave, and which had before. */
export interface RewardsRecord {
  rewards?: RewardRecord[];
  again?: readonly string[];
}

interface RewardRecord {
  system: string;
  level: string;
  target: string;
  points: string;
  amount: string;
  balance: string;
  version?: string;
}

export interface SystemRecord {
  system: string;
  /** Balance, earned, version. */
  before: [string, string, string];
  after: [string, string, string];
  levels?: [string | null, string | null];
}

export interface UserBoostRecord {
  id: string;
  system: string;
  multiplier: string;
  rounding: Rounding;
  exclusive?: true;
  filters?: readonly AttributeFilter[];
  window: UserBoost['window'];
}

export function toRecord(decision: Applied): DecisionRecord {
  const { fired, notFired, systems, consulted, userBoosts, zone, created, streak, completed } = decision;
  return {
    ...(fired.length > 0 && { fired: fired.map(firedRecord) }),
    ...(notFired.length > 0 && { not: notFired.map(notFiredRecord) }),
    ...(systems.length > 0 && { systems: systems.map(systemRecord) }),
    ...(Object.keys(consulted).length > 0 && { user: { ...consulted } }),
    ...(userBoosts.length > 0 && { boosts: userBoosts.map(userBoostRecord) }),
    ...(zone !== null && { zone }),
    ...(created !== null && { created }),
    ...(streak !== null && { streak: streakRecord(streak) }),
    ...(completed.length > 0 && { completed: completed.map(completionRecord) }),
    ...rewardRecords(decision),
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
    streak: record.streak === undefined ? null : readStreak(record.streak),
    completed: (record.completed ?? []).map(([achievementId, backdated]) => ({
      achievementId,
      backdated: backdated ?? false,
    })),
    ...readRewards(record),
  };
}

function streakRecord({ period, before, after }: StreakChange): NonNullable<DecisionRecord['streak']> {
  const pair = ({ first, last }: StreakRun): [number, number] => [first, last];
  return [period, before.map(pair), pair(after)];
}

function readStreak([period, before, after]: NonNullable<DecisionRecord['streak']>): StreakChange {
  const run = ([first, last]: [number, number]): StreakRun => ({ first, last });
  return { period, before: before.map(run), after: run(after) };
}

function completionRecord({ achievementId, backdated }: Completion): [string, true?] {
  return backdated ? [achievementId, true] : [achievementId];
}

export function rewardRecords({ rewards, again }: Pick<Applied, 'rewards' | 'again'>): RewardsRecord {
  return {
    ...(rewards.length > 0 && { rewards: rewards.map(rewardRecord) }),
    ...(again.length > 0 && { again }),
  };
}

export function readRewards({ rewards = [], again = [] }: RewardsRecord): Pick<Applied, 'rewards' | 'again'> {
  return {
    rewards: rewards.map((reward) => ({
      systemId: reward.system,
      levelKey: reward.level,
      targetId: reward.target,
      points: BigInt(reward.points),
      amount: BigInt(reward.amount),
      balanceAfter: BigInt(reward.balance),
      version: reward.version === undefined ? null : BigInt(reward.version),
    })),
    again,
  };
}

function rewardRecord({ systemId, levelKey, targetId, points, amount, balanceAfter, version }: Reward): RewardRecord {
  return {
    system: systemId,
    level: levelKey,
    target: targetId,
    points: String(points),
    amount: String(amount),
    balance: String(balanceAfter),
    ...(version !== null && { version: String(version) }),
  };
}

/** What became of an account, as it is stored. */
export function systemRecord(change: SystemChange): SystemRecord {
  const { systemId, before, after, levelBefore, levelAfter } = change;
  return {
    system: systemId,
    before: accountRecord(before),
    after: accountRecord(after),
    ...((levelBefore !== null || levelAfter !== null) && { levels: [levelBefore, levelAfter] as [null, null] }),
  };
}

export function readSystem(record: SystemRecord): SystemChange {
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

export function userBoostRecord(boost: UserBoost): UserBoostRecord {
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
export function readUserBoost(record: UserBoostRecord): UserBoost {
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
