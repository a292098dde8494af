import type { MessageInitShape } from '@bufbuild/protobuf';
import { idOf, numberOf } from '../../contract-ids.ts';
import type { ProjectCatalog } from '../../db/catalog.ts';
import type { TriggerInputSchema } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { Achievement, Trigger } from '../../rules/types.ts';
import { exactNumber } from '../json.ts';
import { type FilterShape, filterShapes, filtersOf } from '../shapes/filters.ts';
import { interval } from '../shapes/trigger.ts';

/** What only triggers of one type have; numbers as decimal texts. */
export interface TypeFields {
  metricId?: string;
  metricThreshold?: string;
  eventAttributes?: FilterShape[] | null;
  achievementId?: string;
  streakLength?: string;
  timeUnit?: 'hours' | 'days';
  timeInterval?: string;
}

/** What ids in triggers are of. */
export interface Known {
  catalog: ProjectCatalog;
  achievements: readonly Achievement[];
}

export async function knownFor(call: Call, fresh = false): Promise<Known> {
  const { catalog } = call.api.context;
  const declared = await (fresh ? catalog.fresh(call.projectId) : catalog.get(call.projectId));
  return { catalog: declared, achievements: (await currentProgram(call)).program.achievements };
}

type Type = MessageInitShape<typeof TriggerInputSchema>['type'] & object;
type Read = { type?: Type; problems: string[] };

const HOURS_OF: Readonly<Record<string, bigint>> = { hours: 1n, days: 24n };
const HOUR_SECONDS = 3_600n;

/** What only triggers of one type have, as the core takes it, and what is wrong with it. */
export function typeInput(known: Known, type: Trigger['type'], asked: TypeFields): Read {
  switch (type) {
    case 'metric':
      return metricInput(known, asked);
    case 'user_creation':
      return { type: { case: 'userCreation', value: {} }, problems: [] };
    case 'achievement': {
      const achievement = known.achievements.find(({ id }) => id === asked.achievementId?.toLowerCase());
      if (asked.achievementId === undefined) return missing('achievementId');
      if (achievement === undefined) return { problems: ['Achievement not found by ID'] };
      return { type: { case: 'achievement', value: { achievementKey: achievement.key } }, problems: [] };
    }
    case 'streak': {
      if (asked.streakLength === undefined) return missing('streakLength');
      return { type: { case: 'streak', value: { length: Number(asked.streakLength) } }, problems: [] };
    }
    case 'time': {
      const { timeUnit, timeInterval } = asked;
      if (timeUnit === undefined || timeInterval === undefined) {
        return missing(...(timeUnit ? [] : ['timeUnit']), ...(timeInterval ? [] : ['timeInterval']));
      }
      const seconds = BigInt(timeInterval) * (HOURS_OF[timeUnit] as bigint) * HOUR_SECONDS;
      return { type: { case: 'time', value: { every: { seconds, nanos: 0 } } }, problems: [] };
    }
  }
}

function missing(...fields: string[]): Read {
  return { problems: fields.map((field) => `${field} must be given`) };
}

function metricInput({ catalog }: Known, asked: TypeFields): Read {
  const { metricId, metricThreshold: threshold } = asked;
  const number = numberOf('metric', metricId ?? '');
  const metric = catalog.metrics.find(({ id }) => id === number);
  const event = filtersOf(catalog.attributes, 'event', asked.eventAttributes ?? []);
  const problems = [
    ...(metricId === undefined ? ['metricId must be given'] : metric ? [] : ['Metric not found by ID']),
    ...(threshold === undefined ? ['metricThreshold must be given'] : []),
    ...event.unknown.map((id) => `eventAttributes: there is no event attribute ${id}`),
  ];
  if (metric === undefined || threshold === undefined) return { problems };
  const value = { metricKey: metric.key, threshold, eventAttributes: event.filters };
  return { type: { case: 'metric', value }, problems };
}

/** What only triggers of one type have, as it was given. */
export function typeGiven({ catalog: { attributes } }: Known, trigger: Trigger): TypeFields {
  switch (trigger.type) {
    case 'metric':
      return {
        metricId: idOf('metric', trigger.metricId),
        metricThreshold: formatDecimal(trigger.threshold),
        eventAttributes: filterShapes(attributes, 'event', trigger.eventAttributes),
      };
    case 'user_creation':
      return {};
    case 'achievement':
      return { achievementId: trigger.achievementId };
    case 'streak':
      return { streakLength: String(trigger.length) };
    case 'time': {
      const { timeUnit, timeInterval } = interval(trigger.every);
      return { timeUnit: `${timeUnit}s`, timeInterval: String(timeInterval) };
    }
  }
}

const NUMBERS = ['metricThreshold', 'streakLength', 'timeInterval'] as const;

/** The same as it is shown. */
export function typeShape(known: Known, trigger: Trigger): object {
  const given = typeGiven(known, trigger);
  const numbers = NUMBERS.flatMap((name) => (given[name] === undefined ? [] : [[name, exactNumber(given[name])]]));
  return { ...given, ...Object.fromEntries(numbers) };
}

/** The fields of each type, by where the core has them. */
export const TYPE_PATHS: Readonly<Record<Trigger['type'], Readonly<Record<string, string>>>> = {
  metric: {
    metricId: 'metric.metric_key',
    metricThreshold: 'metric.threshold',
    eventAttributes: 'metric.event_attributes',
  },
  user_creation: {},
  achievement: { achievementId: 'achievement.achievement_key' },
  streak: { streakLength: 'streak.length' },
  time: { timeUnit: 'time.every', timeInterval: 'time.every' },
};
