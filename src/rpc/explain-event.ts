import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type ExplainedAward, type ExplainedTrigger, type Explanation, explain } from '../commands/explain.ts';
import { EventService, LimitKind, WhyNot } from '../gen/guerdon/v1/event_service_pb.ts';
import { Rounding } from '../gen/guerdon/v1/types_pb.ts';
import { formatDecimal } from '../rules/decimal.ts';
import { completedMessage } from './achievements/completed-message.ts';
import { eventStreak } from './achievements/streak-message.ts';
import { route } from './call.ts';
import { awardMessage, ROUNDING, rewardMessage } from './convert.ts';
import { eventMessage } from './event-message.ts';
import { findEvent } from './get-event.ts';

const WHY = {
  inactive: WhyNot.INACTIVE,
  event_attributes: WhyNot.EVENT_ATTRIBUTES,
  user_attributes: WhyNot.USER_ATTRIBUTES,
  below_threshold: WhyNot.BELOW_THRESHOLD,
  streak_too_short: WhyNot.STREAK_TOO_SHORT,
  backdated: WhyNot.BACKDATED,
} as const;

const LIMIT = {
  awards: LimitKind.AWARDS,
  points: LimitKind.POINTS,
  cooldown: LimitKind.COOLDOWN,
  once: LimitKind.ONCE,
} as const;

export const explainEvent = route(EventService.method.explainEvent, 'project', async (call, { lookup }) => {
  const { pool, programs } = call.api.context;
  const event = await findEvent(call, lookup);
  const explanation = await explain(pool, programs, call.projectId, event);
  const { index, triggers, consulted, zone, streak, completed, ticks } = explanation;
  const had = Object.entries(consulted).filter((entry): entry is [string, string] => entry[1] !== null);
  return {
    event: await eventMessage(call, event),
    triggers: triggers.map(triggerMessage),
    userAttributes: Object.fromEntries(had),
    zone: zone ?? '',
    ...eventStreak(streak, index.program),
    achievements: completed.map((completion) => completedMessage(completion, event.occurredAt, index)),
    rewards: rewardLists(explanation),
    ticks: ticks.map((run) => ({
      systemKey: index.systemById.get(run.systemId)?.key ?? '',
      triggerKey: index.triggerById.get(run.triggerId)?.key ?? '',
      ticks: run.fires,
      first: timestampFromMs(run.first),
      award: awardMessage(run, { id: '', at: run.at }),
    })),
  };
});

/** By key of the points system that they were given in. */
function rewardLists({ rewards, index }: Explanation) {
  const lists: Record<string, { rewards: ReturnType<typeof rewardMessage>[] }> = {};
  for (const reward of rewards) {
    const key = index.systemById.get(reward.targetId)?.key ?? '';
    lists[key] ??= { rewards: [] };
    lists[key].rewards.push(rewardMessage(reward, index));
  }
  return lists;
}

function triggerMessage(trigger: ExplainedTrigger) {
  const { why, failed, threshold, counted, award } = trigger;
  return {
    triggerId: trigger.triggerId,
    triggerKey: trigger.triggerKey,
    systemKey: trigger.systemKey,
    points: trigger.points,
    whyNot: why === null ? WhyNot.UNSPECIFIED : WHY[why],
    ...(failed !== null && {
      failedFilter: {
        key: failed.key,
        expected: failed.expected,
        ...(failed.actual !== null && { actual: failed.actual }),
      },
    }),
    threshold: threshold ?? '',
    ...(counted !== null && {
      totalBefore: formatDecimal(counted.before.total),
      totalAfter: formatDecimal(counted.after.total),
      highBefore: formatDecimal(counted.before.high),
      highAfter: formatDecimal(counted.after.high),
    }),
    ...(award !== null && awardFields(award)),
  };
}

function awardFields(award: ExplainedAward) {
  const { limit, rounding, room, version } = award;
  return {
    fires: String(award.fires),
    base: String(award.base),
    boosts: award.boosts,
    product: award.product,
    rounding: rounding === null ? Rounding.UNSPECIFIED : ROUNDING[rounding],
    boosted: String(award.boosted),
    limit: limit === null ? LimitKind.UNSPECIFIED : LIMIT[limit.by],
    ...(limit !== null && limit.used !== null && { limitUsed: limit.used }),
    ...(limit !== null && limit.most !== null && { limitMost: limit.most }),
    heldByLimit: String(award.heldByLimit),
    ...(room !== null && { room }),
    heldByCap: String(award.heldByCap),
    amount: award.amount,
    balanceAfter: award.balanceAfter,
    ...(version !== null && { version }),
    at: timestampFromMs(award.at),
  };
}
