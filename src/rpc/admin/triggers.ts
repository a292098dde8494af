import type { Duration } from '@bufbuild/protobuf/wkt';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type TriggerInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { OnFloor, Period, type PeriodLimit, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { repeatedFilters } from '../../program/boost.ts';
import { NO_LIMITS, writeLimits } from '../../rules/limits-record.ts';
import { type Call, itemRoute, route } from '../call.ts';
import { triggerMessages } from '../convert.ts';
import { currentProgram, systemOf } from '../lookup.ts';
import { pageCursor, pageSize, pageToken } from '../page.ts';
import {
  archival,
  change,
  creation,
  decimalText,
  edited,
  field,
  filterRecord,
  type NounFields,
  type Place,
} from './edits.ts';

const ON_FLOOR: Record<OnFloor, string> = {
  [OnFloor.UNSPECIFIED]: 'refuse',
  [OnFloor.REFUSE]: 'refuse',
  [OnFloor.CLAMP]: 'clamp',
  [OnFloor.ALLOW]: 'allow',
};

const metricOf = ({ type }: TriggerInput) => (type.case === 'metric' ? type.value : undefined);
const metricKey = (input: TriggerInput) => ({ metric: metricOf(input)?.metricKey ?? '' });
const threshold = (input: TriggerInput) => {
  const given = metricOf(input)?.threshold;
  return { threshold: given === undefined ? '' : decimalText(given) };
};
const eventAttributes = (input: TriggerInput) => ({
  eventAttributes: filterRecord(metricOf(input)?.eventAttributes ?? []),
});

const PERIODS: Record<Period, string> = {
  [Period.UNSPECIFIED]: '',
  [Period.HOUR]: 'hour',
  [Period.DAY]: 'day',
  [Period.WEEK]: 'week',
  [Period.MONTH]: 'month',
};
const perPeriod = ({ most, per }: PeriodLimit) => `${most}/${PERIODS[per]}`;

/** In the form of an economy file, which the form of a request is held against. */
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

function duration({ seconds, nanos }: Duration): string {
  const ms = Number(seconds) * 1_000 + nanos / 1e6;
  return writeLimits({ ...NO_LIMITS, cooldown: ms }).cooldown ?? '';
}

const FIELDS: NounFields<TriggerInput> = {
  status: {
    isPresent: ({ status }) => status !== TriggerStatus.UNSPECIFIED,
    read: ({ status }) => ({ status: status === TriggerStatus.INACTIVE ? 'inactive' : 'active' }),
  },
  points: field('points', ({ points }) => String(points), ''),
  user_attributes: {
    isPresent: ({ userAttributes }) => userAttributes.length > 0,
    read: ({ userAttributes }) => ({ userAttributes: filterRecord(userAttributes) }),
  },
  on_floor: {
    isPresent: ({ onFloor }) => onFloor !== OnFloor.UNSPECIFIED,
    read: ({ onFloor }) => ({ onFloor: ON_FLOOR[onFloor] }),
  },
  position: field('position', ({ position }) => position, undefined),
  metric: {
    isPresent: () => false,
    read: (input) => ({ ...metricKey(input), ...threshold(input), ...eventAttributes(input), ...limits(input) }),
  },
  user_creation: {
    isPresent: ({ type }) => type.case === 'userCreation',
    read: () => ({ type: 'user_creation' }),
  },
  'metric.limits': { isPresent: (input) => metricOf(input)?.limits !== undefined, read: limits },
  'metric.metric_key': { isPresent: (input) => metricOf(input)?.metricKey !== undefined, read: metricKey },
  'metric.threshold': { isPresent: (input) => metricOf(input)?.threshold !== undefined, read: threshold },
  'metric.event_attributes': {
    isPresent: (input) => (metricOf(input)?.eventAttributes.length ?? 0) > 0,
    read: eventAttributes,
  },
};

export const createTriggers = itemRoute(
  AdminService.method.createTriggers,
  'admin',
  'triggers',
  async (call, request) => {
    const place = await placeIn(call, request.systemKey);
    const { done, issues } = await edited(call, request.triggers, (input) =>
      sound(input, creation(place, FIELDS, input)),
    );
    return { created: await triggers(call, request.systemKey, done), issues };
  },
);

export const updateTriggers = itemRoute(
  AdminService.method.updateTriggers,
  'admin',
  'updates',
  async (call, request) => {
    const place = await placeIn(call, request.systemKey);
    const { done, issues } = await edited(
      call,
      request.updates,
      ({ trigger, updateMask }) =>
        sound(trigger as TriggerInput, change(place, FIELDS, trigger as TriggerInput, updateMask), 'trigger.'),
      { within: 'trigger' },
    );
    return { updated: await triggers(call, request.systemKey, done), issues };
  },
);

export const archiveTriggers = itemRoute(
  AdminService.method.archiveTriggers,
  'admin',
  'keys',
  async (call, request) => {
    const place = await placeIn(call, request.systemKey);
    const { done, issues } = await edited(call, request.keys, (key) => archival(place, key));
    return { archived: done.map(({ key }) => key), issues };
  },
);

/** Pages are of one program, which never changes, so that none repeats or leaves out a trigger that was moved. */
export const listTriggers = route(AdminService.method.listTriggers, 'admin', async (call, request) => {
  const { programs, pool } = call.api.context;
  const current = await currentProgram(call);
  const list = `triggers ${systemOf(current, request.systemKey).id}`;
  const cursor = pageCursor(list, request.pageToken, /^[0-9]{1,9} [0-9]{1,9}$/) ?? `${current.program.version} 0`;
  const [version = 0, from = 0] = cursor.split(' ').map(Number);
  const index = version <= current.program.version ? await programs.get(pool, call.projectId, version) : current;
  const all = triggerMessages(systemOf(index, request.systemKey));
  const to = from + pageSize(request.pageSize);
  return {
    triggers: all.slice(from, to),
    nextPageToken: all.length > to ? pageToken(list, `${index.program.version} ${to}`) : '',
  };
});

export const getTrigger = route(AdminService.method.getTrigger, 'admin', async (call, { systemKey, key }) => {
  systemOf(await currentProgram(call), systemKey);
  const [trigger] = await triggers(call, systemKey, [{ key }]);
  if (trigger === undefined) {
    throw new GuerdonError('NOT_FOUND', 'TRIGGER_UNKNOWN', `key: no trigger ${JSON.stringify(key)} in ${systemKey}`);
  }
  return { trigger };
});

type Asked = ReturnType<typeof creation>;

/** Of filters by the same key only the last would be left in an economy. */
function sound(input: TriggerInput, asked: Asked, path = ''): Asked {
  const lists = {
    user_attributes: input.userAttributes,
    'metric.event_attributes': metricOf(input)?.eventAttributes ?? [],
  };
  const problems = Object.entries(lists).flatMap(([name, filters]) =>
    repeatedFilters(filters).map((key) => ({
      field: `${path}${name}`,
      message: `${JSON.stringify(key)} stands there twice`,
    })),
  );
  return { ...asked, problems: [...asked.problems, ...problems] };
}

async function placeIn(call: Call, systemKey: string): Promise<Place> {
  return { kind: 'trigger', system: systemOf(await currentProgram(call), systemKey).key };
}

/** Those that are still there. */
async function triggers(call: Call, systemKey: string, asked: readonly { key: string }[]) {
  const system = (await currentProgram(call)).systemByKey.get(systemKey);
  const all = system === undefined ? [] : triggerMessages(system);
  return asked.flatMap(({ key }) => all.find((trigger) => trigger.key === key) ?? []);
}
