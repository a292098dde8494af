import type { MessageInitShape } from '@bufbuild/protobuf';
import { countStreaks } from '../../commands/count-streaks.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type TriggerInputSchema } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { OnFloor, TriggerStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { authorOf, type Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { System, Trigger } from '../../rules/types.ts';
import { type AdminIssue, type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { type FilterShape, filterShapes, filtersOf } from '../shapes/filters.ts';
import { interval } from '../shapes/trigger.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { systemIn } from './systems.ts';
import { type Known, knownFor, TYPE_PATHS, type TypeFields, typeGiven, typeInput, typeShape } from './trigger-types.ts';

export interface NewTrigger extends TypeFields {
  type: Trigger['type'];
  /** A whole number. */
  points: string;
  status?: 'active' | 'inactive';
  userAttributes?: FilterShape[] | null;
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
  const known = await knownFor(call, true);
  const ready = items.flatMap(({ index, value }) => {
    const key = `${value.type}-${call.api.context.uuid().replaceAll('-', '').slice(-16)}`;
    const { trigger, problems } = triggerInput(known, key, {
      status: 'inactive',
      blockIfOutOfPoints: false,
      ...value,
    });
    issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index })));
    return problems.length > 0 ? [] : [{ index, value: { trigger } }];
  });
  if (ready.length === 0) return { created: [], issues };
  issues.push(...(await streakFor(call, ready)));
  const made = await rpc(call, AdminService.method.createTriggers, {
    systemKey,
    triggers: ready.map(({ value }) => value.trigger),
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
  const known = await knownFor(call, true);
  const items = found(body, (id) => system.triggers.find((trigger) => trigger.id === id), 'Points trigger');
  const ready = items.flatMap(({ index, value, found: trigger }) => {
    const { id, type = trigger.type } = value;
    const { problems, ...change } = triggerChange(known, trigger, value);
    const alone = items.every((item) => item.index === index || item.found !== trigger);
    if (type !== trigger.type && (trigger.active || !alone)) {
      problems.push('type can be changed only while the trigger is inactive, and by the only item about it');
    }
    body.issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index, id })));
    return problems.length > 0 ? [] : [{ index, value: { id, ...change } }];
  });
  if (ready.length === 0) return updatedAnswer([], body.issues);
  body.issues.push(...(await streakFor(call, ready)));
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

/**
 * Has the project count a streak, where triggers need one and it counts none: the contract has no call that begins one.
 * Gives warnings that say so.
 */
async function streakFor(
  call: Call,
  ready: readonly { index: number; value: { trigger: TriggerInit } }[],
): Promise<AdminIssue[]> {
  const items = ready.filter(({ value }) => value.trigger.type?.case === 'streak');
  if (items.length === 0 || (await currentProgram(call)).program.streak !== null) return [];
  if (!(await countStreaks(call.api.context.orm, authorOf(call)))) return [];
  const message = 'the project counted no streak; it counts a daily one of all metrics';
  return items.map(({ index }) => ({ severity: 'warning', message, index }));
}

/** A trigger as the core takes one, and what is wrong with it. */
function triggerInput(known: Known, key: string, asked: NewTrigger): Read {
  const { type, points, status, blockIfOutOfPoints } = asked;
  const user = filtersOf(known.catalog.attributes, 'user', asked.userAttributes ?? []);
  const typed = typeInput(known, type, asked);
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

/** The fields of a trigger that a change names, as the core takes them with a mask. */
function triggerChange(known: Known, trigger: Trigger, asked: ChangedTrigger): Read & { paths: string[] } {
  const type = asked.type ?? trigger.type;
  const other = type !== trigger.type;
  const { type: _, points, ...shape } = commonShape(known, trigger);
  const merged = { ...shape, points: String(points), ...(!other && typeGiven(known, trigger)), ...asked, type };
  const { trigger: read, problems } = triggerInput(known, trigger.key, merged);
  if (!other && isHalfInterval(trigger, asked)) problems.push('timeUnit and timeInterval must be given together');
  const fields = { ...PATHS, ...(!other && TYPE_PATHS[type]) };
  const named = Object.keys(fields).filter((field) => asked[field as keyof ChangedTrigger] !== undefined);
  const paths = [...named.map((field) => fields[field] as string), ...(other ? [type] : [])];
  // A mask without a path would mean every field.
  return { trigger: read, problems, paths: paths.length === 0 ? ['points'] : [...new Set(paths)] };
}

/** Whether only a part is given of an interval that could be told in hours as well as in days. */
function isHalfInterval(trigger: Trigger, { timeUnit, timeInterval }: ChangedTrigger): boolean {
  if (trigger.type !== 'time' || interval(trigger.every).timeUnit === 'hour') return false;
  return (timeUnit === undefined) !== (timeInterval === undefined);
}

const PATHS: Readonly<Record<string, string>> = {
  points: 'points',
  status: 'status',
  userAttributes: 'user_attributes',
  blockIfOutOfPoints: 'on_floor',
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
  const known = await knownFor(call);
  return triggers.map((trigger) => ({ ...commonShape(known, trigger), ...typeShape(known, trigger) }));
}

function commonShape({ catalog: { attributes } }: Known, trigger: Trigger) {
  return {
    id: trigger.id,
    type: trigger.type,
    points: Number(trigger.points),
    status: trigger.active ? ('active' as const) : ('inactive' as const),
    userAttributes: filterShapes(attributes, 'user', trigger.userAttributes),
    blockIfOutOfPoints: trigger.onFloor === 'refuse',
  };
}
