import { GuerdonError } from '../../errors.ts';
import { AdminService, type LevelInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { type Call, itemRoute, route } from '../call.ts';
import { levelByKey, levelMessage } from '../convert.ts';
import { currentProgram, systemOf } from '../lookup.ts';
import {
  type Asked,
  archival,
  change,
  creation,
  edited,
  field,
  type NounFields,
  type Place,
  withLists,
} from './edits.ts';

const FIELDS: NounFields<LevelInput> = {
  name: field('name', ({ name }) => name, ''),
  description: field('description', ({ description }) => description, ''),
  badge_url: field('badgeUrl', ({ badgeUrl }) => badgeUrl, ''),
  points: field('points', ({ points }) => String(points), ''),
  rewards: {
    isPresent: ({ rewards }) => rewards.length > 0,
    read: ({ rewards }) => ({
      rewards: Object.fromEntries(rewards.map((item) => [item.systemKey, String(item.points)])),
    }),
  },
};

export const createLevels = itemRoute(AdminService.method.createLevels, 'admin', 'levels', async (call, request) => {
  const place = await placeIn(call, request.systemKey);
  const { done, issues } = await edited(call, request.levels, (input) => whole(input, creation(place, FIELDS, input)));
  return { created: await levels(call, request.systemKey, done), issues };
});

export const updateLevels = itemRoute(AdminService.method.updateLevels, 'admin', 'updates', async (call, request) => {
  const place = await placeIn(call, request.systemKey);
  const { done, issues } = await edited(
    call,
    request.updates,
    ({ level, updateMask }) => {
      const input = level as LevelInput;
      return whole(input, change(place, FIELDS, input, updateMask), 'level.');
    },
    { within: 'level' },
  );
  return { updated: await levels(call, request.systemKey, done), issues };
});

export const archiveLevels = itemRoute(AdminService.method.archiveLevels, 'admin', 'keys', async (call, request) => {
  const place = await placeIn(call, request.systemKey);
  const { done, issues } = await edited(call, request.keys, (key) => archival(place, key));
  return { archived: done.map(({ key }) => key), issues };
});

export const getLevel = route(AdminService.method.getLevel, 'admin', async (call, { systemKey, key }) => {
  systemOf(await currentProgram(call), systemKey);
  const [level] = await levels(call, systemKey, [{ key }]);
  if (level === undefined) throw new GuerdonError('NOT_FOUND', 'LEVEL_UNKNOWN', `key: no level ${JSON.stringify(key)}`);
  return { level };
});

function whole({ rewards }: LevelInput, asked: Asked, path = ''): Asked {
  return withLists(asked, { [`${path}rewards`]: rewards.map(({ systemKey }) => ({ key: systemKey })) });
}

async function placeIn(call: Call, systemKey: string): Promise<Place> {
  return { kind: 'level', system: systemOf(await currentProgram(call), systemKey).key };
}

/** Those that are still there. */
async function levels(call: Call, systemKey: string, asked: readonly { key: string }[]) {
  const system = (await currentProgram(call)).systemByKey.get(systemKey);
  return asked.flatMap(({ key }) => (system && levelByKey(system, key)) ?? []).map(levelMessage);
}
