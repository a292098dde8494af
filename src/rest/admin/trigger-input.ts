import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ProjectCatalog } from '../../db/catalog.ts';
import type { TriggerInputSchema } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { OnFloor, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { Achievement, Trigger } from '../../rules/types.ts';
import { numberOf } from '../ids.ts';
import { adminTriggerShape } from '../shapes/admin-trigger.ts';
import { type FilterShape, filtersOf } from '../shapes/filters.ts';
import { intervalMs, intervalOf } from '../shapes/trigger.ts';

export interface NewTrigger {
  type: 'metric' | 'achievement' | 'streak' | 'time' | 'user_creation';
  /** A whole number. */
  points: string;
  status?: 'active' | 'inactive';
  userAttributes?: FilterShape[] | null;
  metricId?: string;
  /** A decimal. */
  metricThreshold?: string;
  eventAttributes?: FilterShape[] | null;
  achievementId?: string;
  /** Whole numbers. */
  streakLength?: string;
  timeInterval?: string;
  timeUnit?: 'hours' | 'days';
  blockIfOutOfPoints?: boolean;
}
export type ChangedTrigger = Partial<NewTrigger> & { id: string };

type TriggerInit = MessageInitShape<typeof TriggerInputSchema>;
type Read = { trigger: TriggerInit; problems: string[] };
export type Declared = Pick<ProjectCatalog, 'attributes' | 'metrics'> & { achievements: readonly Achievement[] };

/** What triggers may name. */
export async function declaredIn(call: Call): Promise<Declared> {
  const { attributes, metrics } = await call.api.context.catalog.fresh(call.projectId);
  const { achievements } = (await currentProgram(call)).program;
  return { attributes, metrics, achievements };
}

/** A trigger as the core takes one, and what is wrong with it. */
export function triggerInput(declared: Declared, key: string, asked: NewTrigger): Read {
  const { type, points, status, blockIfOutOfPoints } = asked;
  const user = filtersOf(declared.attributes, 'user', asked.userAttributes ?? []);
  const typed = typeInput(declared, asked);
  return {
    trigger: {
      key,
      points: BigInt(points),
      status: status === 'active' ? TriggerStatus.ACTIVE : TriggerStatus.INACTIVE,
      userAttributes: user.filters,
      onFloor: blockIfOutOfPoints ? OnFloor.REFUSE : OnFloor.ALLOW,
      ...(typed.type !== undefined && { type: typed.type }),
    },
    problems: [
      ...user.unknown.map((id) => `userAttributes: there is no user attribute ${id}`),
      ...typed.problems,
      ...(type !== 'metric' && asked.eventAttributes != null ? ['eventAttributes goes with type metric only'] : []),
    ],
  };
}

/** What only triggers of one type have, as the core takes it. */
function typeInput(declared: Declared, asked: NewTrigger): { type?: TriggerInit['type']; problems: string[] } {
  const missing = REQUIRED[asked.type].filter((field) => asked[field] === undefined);
  if (missing.length > 0) return { problems: missing.map((field) => `${field} must be given`) };
  switch (asked.type) {
    case 'metric': {
      const number = numberOf('metric', asked.metricId ?? '');
      const metric = declared.metrics.find(({ id }) => id === number);
      const event = filtersOf(declared.attributes, 'event', asked.eventAttributes ?? []);
      const problems = [
        ...(metric === undefined ? ['Metric not found by ID'] : []),
        ...event.unknown.map((id) => `eventAttributes: there is no event attribute ${id}`),
      ];
      const { metricThreshold = '' } = asked;
      const value = { metricKey: metric?.key ?? '', threshold: metricThreshold, eventAttributes: event.filters };
      return { type: { case: 'metric', value }, problems };
    }
    case 'user_creation':
      return { type: { case: 'userCreation', value: {} }, problems: [] };
    case 'time': {
      const every = intervalMs(asked.timeUnit === 'days' ? 'day' : 'hour', Number(asked.timeInterval));
      return { type: { case: 'time', value: { every: durationFromMs(every) } }, problems: [] };
    }
    case 'streak':
      return { type: { case: 'streak', value: { length: Number(asked.streakLength) } }, problems: [] };
    case 'achievement': {
      const achievement = declared.achievements.find(({ id }) => id === asked.achievementId?.toLowerCase());
      if (achievement === undefined) return { problems: ['Achievement not found by ID'] };
      return { type: { case: 'achievement', value: { achievementKey: achievement.key } }, problems: [] };
    }
  }
}

const REQUIRED: Record<NewTrigger['type'], readonly (keyof NewTrigger)[]> = {
  metric: ['metricId', 'metricThreshold'],
  user_creation: [],
  time: ['timeUnit', 'timeInterval'],
  streak: ['streakLength'],
  achievement: ['achievementId'],
};

/** The fields of a trigger that a change names, as the core takes them with a mask. */
export function triggerChange(declared: Declared, trigger: Trigger, asked: ChangedTrigger): Read & { paths: string[] } {
  const known = { ...adminTriggerShape(declared, trigger), ...exactFields(trigger) };
  const other = asked.type !== undefined && asked.type !== trigger.type;
  const whole = { ...(other ? { ...known, eventAttributes: undefined } : known), ...asked } as NewTrigger;
  const { trigger: read, problems } = triggerInput(declared, trigger.key, whole);
  if (other && trigger.active) problems.push('type can be changed while the trigger is inactive only');
  const named = Object.keys(PATHS).filter((field) => asked[field as keyof ChangedTrigger] !== undefined);
  const paths = new Set(named.map((field) => PATHS[field] as string));
  if (other) paths.add(whole.type);
  // A mask without a path would mean every field.
  if (paths.size === 0) paths.add('points');
  return { trigger: read, problems, paths: [...paths].filter((path) => !other || !path.startsWith(`${whole.type}.`)) };
}

/** The numbers of a trigger as a request has them. */
function exactFields(trigger: Trigger): Partial<NewTrigger> {
  const points = String(trigger.points);
  switch (trigger.type) {
    case 'metric':
      return { points, metricThreshold: formatDecimal(trigger.threshold) };
    case 'time':
      return { points, timeInterval: String(intervalOf(trigger.every).interval) };
    case 'streak':
      return { points, streakLength: String(trigger.length) };
    default:
      return { points };
  }
}

const PATHS: Readonly<Record<string, string>> = {
  points: 'points',
  status: 'status',
  userAttributes: 'user_attributes',
  blockIfOutOfPoints: 'on_floor',
  metricId: 'metric.metric_key',
  metricThreshold: 'metric.threshold',
  eventAttributes: 'metric.event_attributes',
  timeUnit: 'time.every',
  timeInterval: 'time.every',
  streakLength: 'streak.length',
  achievementId: 'achievement.achievement_key',
};
