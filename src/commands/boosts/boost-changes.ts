import { Attribute } from '../../db/entities/attribute.ts';
import type { ProjectRecord } from '../../db/entities/project.ts';
import { type Change, type Fields, fieldChanges } from '../../program/diff.ts';
import { type Open, openForAnybody, openForUser } from '../../rules/boost-schedule.ts';
import { type BoostSnapshot, type ProgramSnapshot, readProgram } from '../../rules/program.ts';
import type { System, ZonePeriod } from '../../rules/types.ts';
import { type Author, audit, type Em, holdProject, lockProject, nextProgram, programInForce } from '../next-program.ts';
import { advanceThese } from './advance-boosts.ts';
import { globalBoosts, type StoredBoost } from './boost-rows.ts';
import { boostsIn } from './find-boosts.ts';

/** What boosts are judged against: the program in force, and what users may have. */
export interface Ground {
  project: ProjectRecord;
  snapshot: ProgramSnapshot;
  systems: ReadonlyMap<string, System>;
  userAttributes: ReadonlySet<string>;
}

/** `program`: it will be changed, so nobody else may until the transaction ends. */
export async function readGround(em: Em, projectId: string, program: boolean): Promise<Ground> {
  // Its zone must not change unseen either: windows are resolved by it.
  const project = await (program ? lockProject : holdProject)(em, projectId);
  const snapshot = await programInForce(em, project);
  const attributes = await em.find(Attribute, { project, kind: 'user', archivedAt: null });
  return {
    project,
    snapshot,
    systems: new Map(readProgram(project.programVersion, snapshot).systems.map((system) => [system.id, system])),
    userAttributes: new Set(attributes.map(({ key }) => key)),
  };
}

export interface BoostUser {
  id: string;
  externalId: string;
  zones: readonly ZonePeriod[];
}

/**
 * Known users by their own ids. `keepZones`: their zones cannot change until the transaction ends, so that a change that
 * follows finds the boosts that were resolved by them.
 */
export async function boostUsers(
  em: Em,
  projectId: string,
  externalIds: readonly string[],
  keepZones: boolean,
): Promise<Map<string, BoostUser>> {
  if (externalIds.length === 0) return new Map();
  const rows: { id: string; external_id: string; zones: ZonePeriod[] }[] = await em.execute(
    `select id, external_id, zones from users
    where project_id = ? and external_id = any(array(select jsonb_array_elements_text(?::jsonb)))
      and created_at is not null
    order by external_id ${keepZones ? 'for share' : ''}`,
    [projectId, JSON.stringify([...new Set(externalIds)])],
  );
  return new Map(
    rows.map((row) => [row.external_id, { id: String(row.id), externalId: row.external_id, zones: row.zones }]),
  );
}

/** The boost's window as instants: for its user, or for anybody. */
export function openOf(boost: BoostSnapshot, user: BoostUser | null, projectZone: string): Open {
  return user === null ? openForAnybody(boost.window, projectZone) : openForUser(boost.window, user.zones, projectZone);
}

/**
 * What follows from boosts that were written: the audit log, the next program where one of them is for all users, and
 * the status of those whose window is open or over. Gives the boosts as they are then, in the order given.
 */
export async function settleBoosts(
  em: Em,
  author: Author,
  ground: Ground,
  changed: readonly { before: StoredBoost | null; after: StoredBoost }[],
): Promise<StoredBoost[]> {
  const { project } = ground;
  const changes = changed
    .map(({ before, after }) => ({ change: changeOf(ground, before, after), user: after.user }))
    .filter(({ change }) => change.action !== 'update' || change.fields.length > 0);
  for (const { change, user } of changes) if (user !== null) audit(em, author, change, null, user.id);
  const forAll = changes.filter(({ user }) => user === null).map(({ change }) => change);
  if (forAll.length > 0) {
    const boosts = await globalBoosts(em, project.id);
    const systems = ground.snapshot.systems.map((system) => ({ ...system, boosts: boosts.get(system.id) ?? [] }));
    await nextProgram(em, author, project, { ...ground.snapshot, systems }, forAll);
  }
  await em.flush();
  const ids = changed.map(({ after }) => after.boost.id);
  await advanceThese((sql, parameters) => em.execute(sql, parameters), author.now, ids);
  const now = await boostsIn(em, project.id, ids);
  return ids.map((id) => now.get(id) as StoredBoost);
}

function changeOf(ground: Ground, before: StoredBoost | null, after: StoredBoost): Change {
  const archived = after.archivedAt !== null;
  return {
    action: before === null ? 'create' : archived ? 'archive' : 'update',
    kind: 'boost',
    key: after.boost.id,
    fields: fieldChanges(before === null ? {} : fieldsOf(ground, before), archived ? {} : fieldsOf(ground, after)),
  };
}

function fieldsOf(ground: Ground, { boost, systemId }: StoredBoost): Fields {
  const { window } = boost;
  const instant = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    system: ground.systems.get(systemId)?.key ?? null,
    name: boost.name,
    multiplier: boost.multiplier,
    rounding: boost.rounding,
    exclusive: String(boost.exclusive),
    userAttributes: Object.fromEntries(boost.userAttributes.map(({ key, value }) => [key, value])),
    ...(window.kind === 'dates'
      ? { start: window.start, end: window.end, zone: window.zone }
      : { startTime: instant(window.startTime), endTime: instant(window.endTime) }),
  };
}
