import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { OnFloor, Period, TimerMode, type TriggerSchema, TriggerStatus } from '../gen/guerdon/v1/types_pb.ts';
import { formatDecimal } from '../rules/decimal.ts';
import { isLimited } from '../rules/quota.ts';
import type * as rules from '../rules/types.ts';

const ON_FLOOR: Record<rules.OnFloor, OnFloor> = {
  refuse: OnFloor.REFUSE,
  clamp: OnFloor.CLAMP,
  allow: OnFloor.ALLOW,
};
const RUNS: Record<rules.TimeTrigger['runs'], TimerMode> = {
  always: TimerMode.ALWAYS,
  below_cap: TimerMode.BELOW_CAP,
};

/** All triggers of a system, in the order of their evaluation. */
export function triggerMessages(system: rules.System) {
  return system.triggers.map((trigger, index) => triggerMessage(trigger, index + 1));
}

function triggerMessage(trigger: rules.Trigger, position: number): MessageInitShape<typeof TriggerSchema> {
  return {
    id: trigger.id,
    key: trigger.key,
    status: statusMessage(trigger.active),
    position,
    points: trigger.points,
    userAttributes: trigger.userAttributes.map((filter) => ({ ...filter })),
    onFloor: ON_FLOOR[trigger.onFloor],
    type: triggerType(trigger),
  };
}

export function statusMessage(active: boolean): TriggerStatus {
  return active ? TriggerStatus.ACTIVE : TriggerStatus.INACTIVE;
}

function triggerType(trigger: rules.Trigger): MessageInitShape<typeof TriggerSchema>['type'] & object {
  switch (trigger.type) {
    case 'metric':
      return {
        case: 'metric',
        value: {
          metricKey: trigger.metricKey,
          threshold: formatDecimal(trigger.threshold),
          eventAttributes: trigger.eventAttributes.map((filter) => ({ ...filter })),
          ...(isLimited(trigger.limits) && { limits: limitsMessage(trigger.limits) }),
        },
      };
    case 'user_creation':
      return { case: 'userCreation', value: {} };
    case 'time':
      return { case: 'time', value: { every: durationFromMs(trigger.every), runs: RUNS[trigger.runs] } };
    case 'streak':
      return { case: 'streak', value: { length: trigger.length } };
    case 'achievement':
      return { case: 'achievement', value: { achievementKey: trigger.achievementKey } };
  }
}

const PERIOD: Record<rules.Period, Period> = {
  hour: Period.HOUR,
  day: Period.DAY,
  week: Period.WEEK,
  month: Period.MONTH,
};

function limitsMessage({ awards, points, cooldown, oncePer }: rules.Limits) {
  const perPeriod = ({ most, per }: { most: bigint; per: rules.Period }) => ({ most, per: PERIOD[per] });
  return {
    ...(awards !== null && { awards: perPeriod(awards) }),
    ...(points !== null && { points: perPeriod(points) }),
    ...(cooldown !== null && { cooldown: durationFromMs(cooldown) }),
    oncePer: oncePer ?? '',
  };
}
