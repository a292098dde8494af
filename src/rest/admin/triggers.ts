import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProjectCatalog } from '../../db/catalog.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type TriggerInputSchema } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { OnFloor, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import type { System, Trigger } from '../../rules/types.ts';
import { idOf, numberOf } from '../ids.ts';
import { exactNumber } from '../json.ts';
import { type AdminIssue, type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { type FilterShape, filterShapes, filtersOf } from '../shapes/filters.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { systemIn } from './systems.ts';

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
  blockIfOutOfPoints?: boolean;
}
type ChangedTrigger = Partial<NewTrigger> & { id: string };

export async function listTriggers({ call, path, query }: RestCall): Promise<Answer> {
  const { triggers } = await systemIn(call, path);
  return { body: pageOf(await triggerShapes(call, triggers), query) };
}

export async function getTrigger({ call, path }: RestCall): Promise<Answer> {
  const { triggers } = await systemIn(call, path);
  const trigger = triggers.find(({ id }) => id === path.id?.toLowerCase());
  if (trigger === undefined) throw new GuerdonError('NOT_FOUND', 'TRIGGER_UNKNOWN', 'Points trigger not found by ID');
  return { body: (await triggerShapes(call, [trigger]))[0] };
}

export async function createTriggers({ call, path, body }: RestCall<Items<NewTrigger>>): Promise<Answer> {
  const { created, issues } = await makeTriggers(call, await systemIn(call, path), body);
  return createdAnswer(created, issues);
}

/** Makes what is right of the triggers; the issues tell of the rest. */
export async function makeTriggers(call: Call, { id, key: systemKey }: System, { items, issues }: Items<NewTrigger>) {
  const catalog = await call.api.context.catalog.fresh(call.projectId);
  const ready = items.flatMap(({ index, value }) => {
    const key = `${value.type}-${call.api.context.uuid().replaceAll('-', '').slice(-16)}`;
    const { trigger, problems } = triggerInput(catalog, key, {
      status: 'inactive',
      blockIfOutOfPoints: false,
      ...value,
    });
    issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index })));
    return problems.length > 0 ? [] : [{ index, value: trigger }];
  });
  if (ready.length === 0) return { created: [], issues };
  const made = await rpc(call, AdminService.method.createTriggers, {
    systemKey,
    triggers: ready.map(({ value }) => value),
  });
  const keys = made.created.map(({ key }) => key);
  return {
    created: await storedTriggers(call, id, keys),
    issues: [
      ...issues,
      ...issuesOf(
        made.issues,
        ready.map(({ index }) => ({ index, value: {} })),
      ),
    ],
  };
}

export async function updateTriggers({ call, path, body }: RestCall<Items<ChangedTrigger>>): Promise<Answer> {
  const system = await systemIn(call, path);
  const catalog = await call.api.context.catalog.fresh(call.projectId);
  const items = found(body, (id) => system.triggers.find((trigger) => trigger.id === id), 'Points trigger');
  const ready = items.flatMap(({ index, value, found: trigger }) => {
    const { problems, ...change } = triggerChange(catalog, trigger, value);
    const { id } = value;
    body.issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index, id })));
    return problems.length > 0 ? [] : [{ index, value: { id, ...change } }];
  });
  if (ready.length === 0) return updatedAnswer([], body.issues);
  const updates = ready.map(({ value: { trigger, paths } }) => ({ trigger, updateMask: { paths } }));
  const done = await rpc(call, AdminService.method.updateTriggers, { systemKey: system.key, updates });
  const updated = await storedTriggers(
    call,
    system.id,
    done.updated.map(({ key }) => key),
  );
  return updatedAnswer(updated, [...body.issues, ...issuesOf(done.issues, ready, 'trigger')]);
}

export async function deleteTriggers({ call, path, query }: RestCall): Promise<Answer> {
  const { key: systemKey, triggers } = await systemIn(call, path);
  const { ids, issues } = foundIds(query, (id) => triggers.find((trigger) => trigger.id === id), 'Points trigger');
  if (ids.length === 0) return deletedAnswer([], [], issues);
  const keys = ids.map((item) => item.found.key);
  const done = await rpc(call, AdminService.method.archiveTriggers, { systemKey, keys });
  const items = ids.map((value, index) => ({ index, value }));
  return deletedAnswer(ids, done.archived, [...issues, ...issuesOf(done.issues, items)]);
}

type TriggerInit = MessageInitShape<typeof TriggerInputSchema>;
type Read = { trigger: TriggerInit; problems: string[] };

/** A trigger as the core takes one, and what is wrong with it. */
function triggerInput(catalog: ProjectCatalog, key: string, asked: NewTrigger): Read {
  const { type, points, status, blockIfOutOfPoints } = asked;
  const user = filtersOf(catalog.attributes, 'user', asked.userAttributes ?? []);
  const typed = typeInput(catalog, asked);
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
function typeInput(catalog: ProjectCatalog, asked: NewTrigger): { type?: TriggerInit['type']; problems: string[] } {
  switch (asked.type) {
    case 'metric': {
      const number = numberOf('metric', asked.metricId ?? '');
      const metric = catalog.metrics.find(({ id }) => id === number);
      const event = filtersOf(catalog.attributes, 'event', asked.eventAttributes ?? []);
      const problems = [
        ...(asked.metricId === undefined ? ['metricId must be given'] : metric ? [] : ['Metric not found by ID']),
        ...(asked.metricThreshold === undefined ? ['metricThreshold must be given'] : []),
        ...event.unknown.map((id) => `eventAttributes: there is no event attribute ${id}`),
      ];
      if (metric === undefined || asked.metricThreshold === undefined) return { problems };
      const value = { metricKey: metric.key, threshold: asked.metricThreshold, eventAttributes: event.filters };
      return { type: { case: 'metric', value }, problems };
    }
    case 'user_creation':
      return { type: { case: 'userCreation', value: {} }, problems: [] };
    default:
      return { problems: [`triggers of type ${asked.type} are not offered by this server`] };
  }
}

/** The fields of a trigger that a change names, as the core takes them with a mask. */
function triggerChange(catalog: ProjectCatalog, trigger: Trigger, asked: ChangedTrigger): Read & { paths: string[] } {
  const known = adminShape(catalog, trigger);
  const merged = { ...known, ...asked, points: asked.points ?? String(trigger.points) } as NewTrigger;
  if (asked.metricThreshold === undefined && trigger.type === 'metric') {
    merged.metricThreshold = formatDecimal(trigger.threshold);
  }
  const { trigger: read, problems } = triggerInput(catalog, trigger.key, { ...merged, type: trigger.type });
  const other = asked.type !== undefined && asked.type !== trigger.type;
  if (other) problems.push(`type cannot be changed from ${trigger.type}: delete the trigger and make another`);
  const named = Object.keys(PATHS).filter((field) => asked[field as keyof ChangedTrigger] !== undefined);
  // A mask without a path would mean every field.
  const paths = named.length === 0 ? ['points'] : named.map((field) => PATHS[field] as string);
  return { trigger: read, problems, paths };
}

const PATHS: Readonly<Record<string, string>> = {
  points: 'points',
  status: 'status',
  userAttributes: 'user_attributes',
  blockIfOutOfPoints: 'on_floor',
  metricId: 'metric.metric_key',
  metricThreshold: 'metric.threshold',
  eventAttributes: 'metric.event_attributes',
};

/** Triggers of the program in force by their keys, in that order. */
async function storedTriggers(call: Call, systemId: string, keys: readonly string[]) {
  const triggers = (await currentProgram(call)).systemById.get(systemId)?.triggers ?? [];
  return triggerShapes(
    call,
    keys.flatMap((key) => triggers.find((trigger) => trigger.key === key) ?? []),
  );
}

async function triggerShapes(call: Call, triggers: readonly Trigger[]) {
  const catalog = await call.api.context.catalog.get(call.projectId);
  return triggers.map((trigger) => adminShape(catalog, trigger));
}

function adminShape({ attributes }: ProjectCatalog, trigger: Trigger) {
  return {
    id: trigger.id,
    type: trigger.type,
    points: Number(trigger.points),
    status: trigger.active ? 'active' : 'inactive',
    userAttributes: filterShapes(attributes, 'user', trigger.userAttributes),
    blockIfOutOfPoints: trigger.onFloor === 'refuse',
    ...(trigger.type === 'metric' && {
      metricId: idOf('metric', trigger.metricId),
      metricThreshold: exactNumber(formatDecimal(trigger.threshold)),
      eventAttributes: filterShapes(attributes, 'event', trigger.eventAttributes),
    }),
  };
}
