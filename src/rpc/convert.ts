import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Now } from '../commands/outcome.ts';
import type {
  AppliedBoostSchema,
  AwardSchema,
  BoostSchema,
  EventPointsSchema,
  LevelSchema,
  PointsSystemSchema,
  RewardSchema,
} from '../gen/guerdon/v1/types_pb.ts';
import { LevelBasis, Rounding, TriggerStatus } from '../gen/guerdon/v1/types_pb.ts';
import { type Open, openForUser } from '../rules/boost-schedule.ts';
import { formatDecimal } from '../rules/decimal.ts';
import type { Applied, Fired, Reward } from '../rules/decision.ts';
import { levelBasis, levelOf, nextLevelOf } from '../rules/level.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { type DecisionRecord, fromRecord } from '../rules/record.ts';
import type * as rules from '../rules/types.ts';
import { triggerMessages } from './trigger-message.ts';

export const ROUNDING: Record<rules.Rounding, Rounding> = {
  down: Rounding.DOWN,
  up: Rounding.UP,
  nearest: Rounding.NEAREST,
};
const LEVEL_BASIS: Record<rules.LevelBasis, LevelBasis> = {
  balance: LevelBasis.BALANCE,
  earned: LevelBasis.EARNED,
};

export function levelMessage(level: rules.Level): MessageInitShape<typeof LevelSchema> {
  const { key, name, description, badgeUrl = '', points, rewards } = level;
  return {
    key,
    name,
    description,
    badgeUrl,
    points,
    rewards: rewards.map((item) => ({ systemKey: item.systemKey, points: item.points })),
  };
}

/** A trigger's award as it was decided. */
export function awardMessage(
  fired: Fired,
  event: { id: string; at: rules.Instant },
): MessageInitShape<typeof AwardSchema> {
  return {
    triggerId: fired.triggerId,
    fires: told(fired.fires),
    amount: fired.amount,
    withheld: told(fired.withheld),
    balanceAfter: fired.balanceAfter,
    ...(fired.version !== null && { version: fired.version }),
    boosts: fired.boosts.map(
      (boost): MessageInitShape<typeof AppliedBoostSchema> => ({
        id: boost.id,
        multiplier: formatDecimal(boost.multiplier),
      }),
    ),
    occurredAt: timestampFromMs(fired.at ?? event.at),
    eventId: event.id,
    capped: fired.withheld !== 0n,
  };
}

/**
 * What an event did, by key of the points system: as it was then, by the program that decided it, or with balances and
 * levels of `now` by the program in force.
 */
export function pointsMessages(
  decision: DecisionRecord,
  event: { id: string; at: rules.Instant },
  then: ProgramIndex,
  now?: { balances: Now; index: ProgramIndex },
): Record<string, MessageInitShape<typeof EventPointsSchema>> {
  const { fired, systems, rewards } = fromDecision(decision);
  return Object.fromEntries(
    systems.map((change) => {
      const system = then.systemById.get(change.systemId) as rules.System;
      const awards = fired.filter((item) => item.systemId === change.systemId);
      const given = rewards.filter((item) => item.targetId === change.systemId);
      const balanceNow = now?.balances[change.systemId]?.balance;
      const standing = now === undefined ? levels(system, change.after) : levelsNow(change.systemId, now);
      return [
        system.key,
        {
          added: sum([...awards, ...given].map(({ amount }) => amount)),
          withheld: told(sum([...awards.map((award) => award.withheld), ...given.map(heldBack)])),
          total: balanceNow === undefined ? change.after.balance : BigInt(balanceNow),
          levelChanged: change.levelBefore !== change.levelAfter,
          ...standing,
          awards: awards.map((award) => awardMessage(award, event)),
          rewards: given.map((reward) => rewardMessage(reward, then)),
        },
      ];
    }),
  );
}

/** What a level gave for being reached for the first time. */
export function rewardMessage(reward: Reward, { systemById }: ProgramIndex): MessageInitShape<typeof RewardSchema> {
  return {
    levelSystemKey: systemById.get(reward.systemId)?.key ?? '',
    levelKey: reward.levelKey,
    amount: reward.amount,
    withheld: heldBack(reward),
    balanceAfter: reward.balanceAfter,
    ...(reward.version !== null && { version: reward.version }),
  };
}

function heldBack({ points, amount }: Reward): bigint {
  return points - amount;
}

/** The decision of a stored event, for the parts that do not depend on the event's columns. */
export function fromDecision(decision: DecisionRecord): Omit<Applied, 'programVersion' | 'counter'> {
  const zero = { total: 0n, high: 0n };
  return fromRecord(decision, { programVersion: 0, counter: { before: zero, after: zero } });
}

export function levelByKey(system: rules.System, key: string | null): rules.Level | null {
  return system.levels.find((level) => level.key === key) ?? null;
}

/** The level of an account, the next one above and what is missing to it; each absent where there is none. */
export function levels(system: rules.System, account: rules.Account) {
  const level = levelOf(system, account);
  const next = nextLevelOf(system, account);
  return {
    ...(level !== null && { level: levelMessage(level) }),
    ...(next !== null && {
      nextLevel: levelMessage(next),
      pointsToNextLevel: next.points - levelBasis(system, account),
    }),
  };
}

/** The same for today's account by today's program. */
export function levelsNow(systemId: string, { balances, index }: { balances: Now; index: ProgramIndex }) {
  const system = index.systemById.get(systemId);
  const account = balances[systemId];
  if (system === undefined || account === undefined) return {};
  return levels(system, { balance: BigInt(account.balance), earned: BigInt(account.earned), version: 0n });
}

export function systemMessage(system: rules.System): MessageInitShape<typeof PointsSystemSchema> {
  return {
    id: system.id,
    key: system.key,
    name: system.name,
    description: system.description,
    badgeUrl: system.badgeUrl ?? '',
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...(system.minPoints !== null && { minPoints: system.minPoints }),
    levelBasis: LEVEL_BASIS[system.levelBasis],
    boostCeiling: system.boostCeiling === null ? '' : formatDecimal(system.boostCeiling),
    triggers: triggerMessages(system).filter(({ status }) => status === TriggerStatus.ACTIVE),
  };
}

/** A boost with its window as the instants that hold for one user. */
export function boostMessage(
  boost: rules.Boost,
  zones: readonly rules.ZonePeriod[],
  projectZone: string,
): MessageInitShape<typeof BoostSchema> {
  return boostBasics(boost, openForUser(boost.window, zones, projectZone));
}

/** What everyone may know of a boost. */
export function boostBasics(boost: rules.Boost, { startsAt, endsAt }: Open) {
  return {
    id: boost.id,
    name: boost.name,
    multiplier: formatDecimal(boost.multiplier),
    rounding: ROUNDING[boost.rounding],
    exclusive: boost.exclusive,
    startTime: timestampFromMs(startsAt),
    ...(endsAt !== null && { endTime: timestampFromMs(endsAt) }),
  };
}

const INT64_MAX = 2n ** 63n - 1n;

/** What a cap holds back has no limit, but the messages have: a number beyond is told as the largest there is. */
function told(number: bigint): bigint {
  return number > INT64_MAX ? INT64_MAX : number < -INT64_MAX ? -INT64_MAX : number;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
