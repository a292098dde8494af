import { idOf, numberOf } from '../../contract-ids.ts';
import { AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { PointsSystem } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { System } from '../../rules/types.ts';
import { checkItems } from '../check.ts';
import { type AdminIssue, type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { type Badge, badgeOf, badgeShape } from '../shapes/badge.ts';
import { makeBoosts, type NewBoost } from './boosts.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { makeLevels, type NewLevel } from './levels.ts';
import { systemById } from './systems.ts';
import { makeTriggers, type NewTrigger } from './triggers.ts';

/** What may come with a system. */
interface Parts {
  levels?: unknown[];
  boosts?: unknown[];
  triggers?: unknown[];
}

interface NewPointsSystem extends Parts {
  name: string;
  key: string;
  description?: string;
  badge?: Badge | null;
  /** A whole number. */
  maxPoints?: string | null;
}
type ChangedPointsSystem = Partial<Omit<NewPointsSystem, 'key'>> & { id: string };

export async function listPointsSystems({ call, query }: RestCall): Promise<Answer> {
  const { systems } = (await currentProgram(call)).program;
  const oldestFirst = [...systems].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  return { body: pageOf(oldestFirst, query).map(systemShape) };
}

export async function getPointsSystem({ call, path }: RestCall): Promise<Answer> {
  return { body: systemShape(await systemById(call, path.id as string)) };
}

/** The systems first, as one change; then what comes with each. */
export async function createPointsSystems({ call, body, plain }: RestCall<Items<NewPointsSystem>>): Promise<Answer> {
  const { items, issues } = body;
  if (items.length === 0) return createdAnswer([], issues);
  const systems = items.map(({ value: { key, name, description = '', badge, maxPoints } }) => ({
    key,
    name,
    description,
    ...badgeOf(badge),
    ...(maxPoints != null && { maxPoints: BigInt(maxPoints) }),
    noFloor: true,
  }));
  const made = await rpc(call, AdminService.method.createPointsSystems, { systems });
  issues.push(...issuesOf(made.issues, items));
  const failed = new Set(issues.filter(({ severity }) => severity === 'error').map(({ index }) => index));
  const kept = items.filter(({ index }) => !failed.has(index));
  const created: object[] = [];
  for (const [position, item] of kept.entries()) {
    created.push(
      await withParts(
        call,
        made.created[position] as PointsSystem,
        item,
        (plain as Parts[])[item.index] as Parts,
        issues,
      ),
    );
  }
  return createdAnswer(created, issues);
}

async function withParts(
  call: Call,
  { id }: PointsSystem,
  { index, value }: { index: number; value: NewPointsSystem },
  plain: Parts,
  issues: AdminIssue[],
): Promise<object> {
  const system = (await currentProgram(call)).systemById.get(id) as System;
  const note = (part: string, found: readonly AdminIssue[]) => {
    for (const { index: inner, message, severity } of found) {
      issues.push({ severity, message: `${part}[${inner}]: ${message}`, index });
    }
  };
  const shape: Record<string, unknown> = systemShape(system);
  if (value.levels !== undefined) {
    const levels = await makeLevels(call, system, checkItems<NewLevel>('NewLevel', plain.levels ?? [], value.levels));
    note('levels', levels.issues);
    shape.levels = levels.created;
  }
  if (value.triggers !== undefined) {
    const triggers = await makeTriggers(
      call,
      system,
      checkItems<NewTrigger>('NewTrigger', plain.triggers ?? [], value.triggers),
    );
    note('triggers', triggers.issues);
    shape.triggers = triggers.created;
  }
  if (value.boosts !== undefined) {
    const boosts = await makeBoosts(
      call,
      system.key,
      checkItems<NewBoost>('NewBoost', plain.boosts ?? [], value.boosts),
    );
    note('boosts', boosts.issues);
    shape.boosts = boosts.created;
  }
  return shape;
}

export async function updatePointsSystems({ call, body }: RestCall<Items<ChangedPointsSystem>>): Promise<Answer> {
  const { systemById: known } = await currentProgram(call);
  const items = found(body, (id) => known.get(numberOf('points_system', id) ?? ''), 'Points system');
  if (items.length === 0) return updatedAnswer([], body.issues);
  const updates = items.map(({ value: { name, description, badge, maxPoints }, found: system }) => ({
    system: {
      key: system.key,
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
      ...badgeOf(badge),
      ...(maxPoints != null && { maxPoints: BigInt(maxPoints) }),
    },
    // One that clears the cap has to say so; without a path it would be whatever is present.
    ...(maxPoints === null && {
      updateMask: {
        paths: [
          'max_points',
          ...(name ? ['name'] : []),
          ...(description !== undefined ? ['description'] : []),
          ...(badge !== undefined ? ['badge_url'] : []),
        ],
      },
    }),
  }));
  const done = await rpc(call, AdminService.method.updatePointsSystems, { updates });
  const { systemByKey } = await currentProgram(call);
  const updated = done.updated.flatMap(({ key }) => systemByKey.get(key) ?? []);
  const told = issuesOf(done.issues, items, 'system');
  return updatedAnswer(updated.map(systemShape), [...body.issues, ...told]);
}

export async function deletePointsSystems({ call, query }: RestCall): Promise<Answer> {
  const { systemById: known } = await currentProgram(call);
  const { ids, issues } = foundIds(query, (id) => known.get(numberOf('points_system', id) ?? ''), 'Points system');
  if (ids.length === 0) return deletedAnswer([], [], issues);
  const keys = ids.map((item) => item.found.key);
  const done = await rpc(call, AdminService.method.archivePointsSystems, { keys, allowStranding: true });
  const items = ids.map((value, index) => ({ index, value }));
  return deletedAnswer(ids, done.archived, [...issues, ...issuesOf(done.issues, items)]);
}

function systemShape({ id, name, key, description, badgeUrl, maxPoints }: System) {
  return {
    id: idOf('points_system', id),
    name,
    key,
    description,
    status: 'active',
    badge: badgeShape(badgeUrl),
    maxPoints: maxPoints === null ? null : Number(maxPoints),
  };
}
