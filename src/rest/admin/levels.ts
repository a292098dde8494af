import { levelId } from '../../contract-ids.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { PointsService } from '../../gen/guerdon/v1/points_service_pb.ts';
import type { System } from '../../rules/types.ts';
import { type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { type Badge, badgeOf } from '../shapes/badge.ts';
import { adminLevelShape } from '../shapes/level.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { systemIn } from './systems.ts';

export interface NewLevel {
  name: string;
  key: string;
  /** A whole number. */
  points: string;
  description?: string;
  badge?: Badge | null;
}
type ChangedLevel = Partial<Omit<NewLevel, 'key'>> & { id: string };

export async function listLevels({ call, path, query }: RestCall): Promise<Answer> {
  const { id, key } = await systemIn(call, path);
  const { levels } = await rpc(call, PointsService.method.listLevels, { systemKey: key, pageSize: 200 });
  return { body: pageOf(levels, query).map((level) => adminLevelShape(id, level)) };
}

export async function getLevel({ call, path }: RestCall): Promise<Answer> {
  const system = await systemIn(call, path);
  const known = system.levels.find(byId(system, path.id as string));
  if (known === undefined) throw new GuerdonError('NOT_FOUND', 'LEVEL_UNKNOWN', 'Level not found by ID');
  const { level } = await rpc(call, AdminService.method.getLevel, { systemKey: system.key, key: known.key });
  return { body: adminLevelShape(system.id, level as NonNullable<typeof level>) };
}

export async function createLevels({ call, path, body }: RestCall<Items<NewLevel>>): Promise<Answer> {
  const { created, issues } = await makeLevels(call, await systemIn(call, path), body);
  return createdAnswer(created, issues);
}

/** Makes what is right of the levels; the issues tell of the rest. */
export async function makeLevels(
  call: RestCall['call'],
  { id, key: systemKey }: System,
  { items, issues }: Items<NewLevel>,
) {
  if (items.length === 0) return { created: [], issues };
  const levels = items.map(({ value: { key, name, points, description = '', badge } }) => ({
    key,
    name,
    points: BigInt(points),
    description,
    ...badgeOf(badge),
  }));
  const made = await rpc(call, AdminService.method.createLevels, { systemKey, levels });
  return {
    created: made.created.map((level) => adminLevelShape(id, level)),
    issues: [...issues, ...issuesOf(made.issues, items)],
  };
}

export async function updateLevels({ call, path, body }: RestCall<Items<ChangedLevel>>): Promise<Answer> {
  const system = await systemIn(call, path);
  const items = found(body, (id) => system.levels.find(byId(system, id)), 'Level');
  if (items.length === 0) return updatedAnswer([], body.issues);
  const updates = items.map(({ value: { name, points, description, badge }, found: { key } }) => ({
    level: {
      key,
      ...(name !== undefined && { name }),
      ...(points !== undefined && { points: BigInt(points) }),
      ...(description !== undefined && { description }),
      ...badgeOf(badge),
    },
  }));
  const done = await rpc(call, AdminService.method.updateLevels, { systemKey: system.key, updates });
  const issues = [...body.issues, ...issuesOf(done.issues, items, 'level')];
  return updatedAnswer(
    done.updated.map((level) => adminLevelShape(system.id, level)),
    issues,
  );
}

export async function deleteLevels({ call, path, query }: RestCall): Promise<Answer> {
  const system = await systemIn(call, path);
  const { ids, issues } = foundIds(query, (id) => system.levels.find(byId(system, id)), 'Level');
  if (ids.length === 0) return deletedAnswer([], [], issues);
  const keys = ids.map((item) => item.found.key);
  const done = await rpc(call, AdminService.method.archiveLevels, { systemKey: system.key, keys });
  const items = ids.map((value, index) => ({ index, value }));
  return deletedAnswer(ids, done.archived, [...issues, ...issuesOf(done.issues, items)]);
}

const byId = (system: System, id: string) => (level: { key: string }) =>
  levelId(system.id, level.key) === id.toLowerCase();
