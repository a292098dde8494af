import type { Duration } from '@bufbuild/protobuf/wkt';
import type { TriggerInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { OnFloor, Period, type PeriodLimit, TimerMode } from '../../gen/guerdon/v1/types_pb.ts';
import { writeDuration } from '../../rules/limits-record.ts';
import { decimalText, field, filterRecord, filtersField, type NounFields, statusField } from './edits.ts';

const ON_FLOOR: Record<OnFloor, string> = {
  [OnFloor.UNSPECIFIED]: 'refuse',
  [OnFloor.REFUSE]: 'refuse',
  [OnFloor.CLAMP]: 'clamp',
  [OnFloor.ALLOW]: 'allow',
};
const RUNS: Record<TimerMode, string> = {
  [TimerMode.UNSPECIFIED]: 'always',
  [TimerMode.ALWAYS]: 'always',
  [TimerMode.BELOW_CAP]: 'below_cap',
};
const PERIODS: Record<Period, string> = {
  [Period.UNSPECIFIED]: '',
  [Period.HOUR]: 'hour',
  [Period.DAY]: 'day',
  [Period.WEEK]: 'week',
  [Period.MONTH]: 'month',
};

export const metricOf = ({ type }: TriggerInput) => (type.case === 'metric' ? type.value : undefined);
const timeOf = ({ type }: TriggerInput) => (type.case === 'time' ? type.value : undefined);

// In the form of an economy file, which the form of a request is held against.

const metricKey = (input: TriggerInput) => ({ metric: metricOf(input)?.metricKey ?? '' });
const threshold = (input: TriggerInput) => {
  const given = metricOf(input)?.threshold;
  return { threshold: given === undefined ? '' : decimalText(given) };
};
const eventAttributes = (input: TriggerInput) => ({
  eventAttributes: filterRecord(metricOf(input)?.eventAttributes ?? []),
});
const perPeriod = ({ most, per }: PeriodLimit) => `${most}/${PERIODS[per]}`;
const duration = ({ seconds, nanos }: Duration) => writeDuration(Number(seconds) * 1_000 + nanos / 1e6);
const limits = (input: TriggerInput) => {
  const given = metricOf(input)?.limits;
  return {
    limits: {
      ...(given?.awards !== undefined && { awards: perPeriod(given.awards) }),
      ...(given?.points !== undefined && { points: perPeriod(given.points) }),
      ...(given?.cooldown !== undefined && { cooldown: duration(given.cooldown) }),
      ...(given !== undefined && given.oncePer !== '' && { oncePer: given.oncePer }),
    },
  };
};
const every = (input: TriggerInput) => {
  const given = timeOf(input)?.every;
  return { every: given === undefined ? '' : duration(given) };
};
const runs = (input: TriggerInput) => ({ runs: RUNS[timeOf(input)?.runs ?? TimerMode.UNSPECIFIED] });
const length = ({ type }: TriggerInput) => ({ length: type.case === 'streak' ? String(type.value.length) : '' });
const achievement = ({ type }: TriggerInput) => ({
  achievement: type.case === 'achievement' ? type.value.achievementKey : '',
});

const never = () => false;

export const TRIGGER_FIELDS: NounFields<TriggerInput> = {
  status: statusField(),
  points: field('points', ({ points }) => String(points), ''),
  user_attributes: filtersField(),
  on_floor: {
    isPresent: ({ onFloor }) => onFloor !== OnFloor.UNSPECIFIED,
    read: ({ onFloor }) => ({ onFloor: ON_FLOOR[onFloor] }),
  },
  position: field('position', ({ position }) => position, undefined),
  metric: {
    isPresent: never,
    read: (input) => ({ ...metricKey(input), ...threshold(input), ...eventAttributes(input), ...limits(input) }),
  },
  user_creation: { isPresent: never, read: () => ({}) },
  time: { isPresent: never, read: (input) => ({ ...every(input), ...runs(input) }) },
  streak: { isPresent: ({ type }) => type.case === 'streak', read: length },
  achievement: { isPresent: ({ type }) => type.case === 'achievement', read: achievement },
  'metric.limits': { isPresent: (input) => metricOf(input)?.limits !== undefined, read: limits },
  'metric.metric_key': { isPresent: (input) => metricOf(input)?.metricKey !== undefined, read: metricKey },
  'metric.threshold': { isPresent: (input) => metricOf(input)?.threshold !== undefined, read: threshold },
  'metric.event_attributes': {
    isPresent: (input) => (metricOf(input)?.eventAttributes.length ?? 0) > 0,
    read: eventAttributes,
  },
  'time.every': { isPresent: (input) => timeOf(input)?.every !== undefined, read: every },
  'time.runs': {
    isPresent: (input) => (timeOf(input)?.runs ?? TimerMode.UNSPECIFIED) !== TimerMode.UNSPECIFIED,
    read: runs,
  },
  'streak.length': { isPresent: never, read: length },
  'achievement.achievement_key': { isPresent: never, read: achievement },
};

/** Names of fields in the proto, where the economy has others. */
export const TRIGGER_NAMES = {
  metric: 'metric.metric_key',
  threshold: 'metric.threshold',
  event_attributes: 'metric.event_attributes',
  limits: 'metric.limits',
  every: 'time.every',
  runs: 'time.runs',
  length: 'streak.length',
  achievement: 'achievement.achievement_key',
};
