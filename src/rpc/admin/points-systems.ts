import { AdminService, type PointsSystemInput } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { LevelBasis } from '../../gen/guerdon/v1/types_pb.ts';
import { type Call, itemRoute } from '../call.ts';
import { systemMessage } from '../convert.ts';
import { currentProgram } from '../lookup.ts';
import { archival, change, creation, decimalText, edited, field, type NounFields, type Place } from './edits.ts';

const PLACE: Place = { kind: 'points_system', system: null };
const FIELDS: NounFields<PointsSystemInput> = {
  name: field('name', ({ name }) => name, ''),
  description: field('description', ({ description }) => description, ''),
  badge_url: field('badgeUrl', ({ badgeUrl }) => badgeUrl, ''),
  max_points: field('maxPoints', ({ maxPoints }) => String(maxPoints), null),
  min_points: {
    isPresent: ({ minPoints, noFloor }) => minPoints !== undefined || noFloor,
    read: ({ minPoints, noFloor }) => ({ minPoints: noFloor || minPoints === undefined ? null : String(minPoints) }),
  },
  level_basis: {
    isPresent: ({ levelBasis }) => levelBasis !== LevelBasis.UNSPECIFIED,
    read: ({ levelBasis }) => ({ levelBasis: levelBasis === LevelBasis.EARNED ? 'earned' : 'balance' }),
  },
  boost_ceiling: field('boostCeiling', ({ boostCeiling }) => decimalText(boostCeiling as string), null),
};

export const createPointsSystems = itemRoute(
  AdminService.method.createPointsSystems,
  'admin',
  'systems',
  async (call, request) => {
    const { done, issues } = await edited(call, request.systems, (input) =>
      sound(input, creation(PLACE, FIELDS, input)),
    );
    return { created: await systems(call, done), issues };
  },
);

export const updatePointsSystems = itemRoute(
  AdminService.method.updatePointsSystems,
  'admin',
  'updates',
  async (call, request) => {
    const { done, issues } = await edited(
      call,
      request.updates,
      ({ system, updateMask }) => {
        const input = system as PointsSystemInput;
        return sound(input, change(PLACE, FIELDS, input, updateMask), 'system.');
      },
      { within: 'system' },
    );
    return { updated: await systems(call, done), issues };
  },
);

export const archivePointsSystems = itemRoute(
  AdminService.method.archivePointsSystems,
  'admin',
  'keys',
  async (call, request) => {
    const { done, issues } = await edited(call, request.keys, (key) => archival(PLACE, key), request);
    return { archived: done.map(({ key }) => key), issues };
  },
);

function sound(input: PointsSystemInput, asked: ReturnType<typeof creation>, path = ''): ReturnType<typeof creation> {
  if (!input.noFloor || input.minPoints === undefined) return asked;
  const problem = { field: `${path}min_points`, message: 'must be left out beside no_floor' };
  return { ...asked, problems: [...asked.problems, problem] };
}

/** Those that are still there. */
async function systems(call: Call, done: readonly { key: string }[]) {
  const index = await currentProgram(call);
  return done.flatMap(({ key }) => index.systemByKey.get(key) ?? []).map(systemMessage);
}
