import { GuerdonError } from '../../errors.ts';
import { AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { System, Trigger } from '../../rules/types.ts';
import { type AdminIssue, type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { adminTriggerShape } from '../shapes/admin-trigger.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { systemIn } from './systems.ts';
import { type ChangedTrigger, declaredIn, type NewTrigger, triggerChange, triggerInput } from './trigger-input.ts';

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
  const declared = await declaredIn(call);
  const ready = items.flatMap(({ index, value }) => {
    const key = `${value.type}-${call.api.context.uuid().replaceAll('-', '').slice(-16)}`;
    const { trigger, problems } = triggerInput(declared, key, {
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
  const declared = await declaredIn(call);
  const items = found(body, (id) => system.triggers.find((trigger) => trigger.id === id), 'Points trigger');
  const seen = new Set<string>();
  const ready = items.flatMap(({ index, value, found: trigger }) => {
    const { problems, ...change } = triggerChange(declared, trigger, value);
    const { id } = value;
    if (seen.has(trigger.id)) problems.push('stands in the list twice');
    seen.add(trigger.id);
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
  return triggers.map((trigger) => adminTriggerShape(catalog, trigger));
}
