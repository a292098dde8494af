import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type TriggerInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { type Call, itemRoute, route } from '../call.ts';
import { currentProgram, systemOf } from '../lookup.ts';
import { pageCursor, pageSize, pageToken } from '../page.ts';
import { triggerMessages } from '../trigger-message.ts';
import { type Asked, archival, change, creation, edited, type Place, withLists, withType } from './edits.ts';
import { metricOf, TRIGGER_FIELDS, TRIGGER_NAMES } from './trigger-fields.ts';

export const createTriggers = itemRoute(
  AdminService.method.createTriggers,
  'admin',
  'triggers',
  async (call, request) => {
    const place = await placeIn(call, request.systemKey);
    const { done, issues } = await edited(
      call,
      request.triggers,
      (input) => whole(input, creation(place, TRIGGER_FIELDS, input)),
      { names: TRIGGER_NAMES },
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
      ({ trigger, updateMask }) => {
        const input = trigger as TriggerInput;
        return whole(input, change(place, TRIGGER_FIELDS, input, updateMask), { mask: updateMask, path: 'trigger.' });
      },
      { within: 'trigger', names: TRIGGER_NAMES },
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

function whole(
  input: TriggerInput,
  asked: Asked,
  { mask, path = '' }: { mask?: FieldMask | undefined; path?: string } = {},
): Asked {
  return withLists(withType(asked, input.type.case, mask), {
    [`${path}user_attributes`]: input.userAttributes,
    [`${path}metric.event_attributes`]: metricOf(input)?.eventAttributes ?? [],
  });
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
