import { Project, type ProjectRecord } from '../db/entities/project.ts';
import { type Orm, transact } from '../db/orm.ts';
import { fieldChanges } from '../program/diff.ts';
import type { Economy } from '../program/economy.ts';
import { isZone } from '../rules/zone.ts';
import { mintKey } from './api-keys.ts';
import { applyEconomyIn, currentEconomy } from './change-economy.ts';
import { Issues, type Item, type ItemIssue } from './judge.ts';
import { type Author, audit, type Em, lockProject } from './next-program.ts';

export interface ProjectFields {
  name: string;
  timeZone: string;
  keylessEvents: Economy['keylessEvents'];
}

/** The author of a change in another project than its own. */
type Owner = Omit<Author, 'projectId'>;

const ZONE = { field: 'time_zone', message: 'must be an IANA time zone such as "Europe/Berlin"' };

/** Makes projects with an empty program, each with an admin key of its own. */
export async function createProjects(
  orm: Orm,
  owner: Owner,
  drafts: readonly Item<{ key: string; fields: Partial<ProjectFields> }>[],
): Promise<{ created: { project: ProjectRecord; adminKey: string }[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    await lockProjects(em);
    const issues = new Issues();
    const created = [];
    for (const { index, value } of drafts) {
      const { name = '', timeZone = 'UTC', keylessEvents = 'mark' } = value.fields;
      const problems = [
        ...(name === '' ? [{ field: 'name', message: 'must be given' }] : []),
        ...(isZone(timeZone) ? [] : [ZONE]),
        ...((await em.count(Project, { key: value.key })) > 0
          ? [{ field: 'key', message: `${JSON.stringify(value.key)} is taken` }]
          : []),
      ];
      if (issues.errors(index, problems)) continue;
      const at = new Date(owner.now);
      const project = em.create(Project, { key: value.key, name, timeZone, keylessEvents, createdAt: at });
      await em.flush();
      const author = { ...owner, projectId: project.id };
      const fields = fieldChanges({}, { name, timeZone, keylessEvents });
      audit(em, author, { action: 'create', kind: 'project', key: value.key, fields }, null);
      const { key: adminKey } = await mintKey(em, author, { kind: 'admin', name: 'admin', user: null });
      created.push({ project, adminKey });
    }
    return { created, issues: issues.all };
  });
}

/** Changes projects; zone and treatment of keyless events are part of their programs. */
export async function updateProjects(
  orm: Orm,
  owner: Owner,
  patches: readonly Item<{ key: string; fields: Partial<ProjectFields>; restore: boolean }>[],
): Promise<{ updated: ProjectRecord[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    await lockProjects(em);
    const issues = new Issues();
    const updated: ProjectRecord[] = [];
    for (const { index, value } of patches) {
      const { fields, restore } = value;
      const project = await em.findOne(Project, { key: value.key });
      if (project === null || (project.archivedAt !== null && !restore)) {
        const message = project === null ? 'there is no such project' : 'the project is archived: restore it first';
        issues.error(index, 'key', message);
        continue;
      }
      const problems = [
        ...(fields.name === '' ? [{ field: 'name', message: 'must not be empty' }] : []),
        ...(fields.timeZone === undefined || isZone(fields.timeZone) ? [] : [ZONE]),
      ];
      if (issues.errors(index, problems)) continue;
      await change(em, { ...owner, projectId: project.id }, fields, restore);
      updated.push(project);
    }
    return { updated, issues: issues.all };
  });
}

async function change(em: Em, author: Author, fields: Partial<ProjectFields>, restore: boolean): Promise<void> {
  const project = await lockProject(em, author.projectId);
  const { timeZone, keylessEvents } = fields;
  const before = { name: project.name, ...(restore && { archivedAt: project.archivedAt?.toISOString() ?? null }) };
  const named = fieldChanges(before, { name: fields.name ?? project.name });
  if (named.length > 0) audit(em, author, { action: 'update', kind: 'project', key: project.key, fields: named }, null);
  project.name = fields.name ?? project.name;
  if (restore) project.archivedAt = null;
  await em.flush();
  if (timeZone === undefined && keylessEvents === undefined) return;
  const { economy } = await currentEconomy(em, author.projectId);
  const given = { ...(timeZone !== undefined && { timeZone }), ...(keylessEvents !== undefined && { keylessEvents }) };
  await applyEconomyIn(em, author, { ...economy, ...given });
}

/** Archives projects, but for the one that the owner's key belongs to. */
export async function archiveProjects(
  orm: Orm,
  owner: Author,
  keys: readonly Item<string>[],
): Promise<{ archived: string[]; issues: ItemIssue[] }> {
  return transact(orm, async (em) => {
    await lockProjects(em);
    const issues = new Issues();
    const archived: string[] = [];
    for (const { index, value: key } of keys) {
      const project = await em.findOne(Project, { key });
      if (project === null || project.id === owner.projectId) {
        issues.error(
          index,
          '',
          project === null ? 'there is no such project' : 'is the project of the key of this call',
        );
      } else if (project.archivedAt !== null) {
        issues.warnings(index, [{ field: '', message: 'the project is archived' }]);
      } else {
        project.archivedAt = new Date(owner.now);
        const fields = fieldChanges({ name: project.name }, {});
        audit(em, { ...owner, projectId: project.id }, { action: 'archive', kind: 'project', key, fields }, null);
        archived.push(key);
      }
    }
    await em.flush();
    return { archived, issues: issues.all };
  });
}

/** Whoever makes, renames or archives projects waits for whoever does so now. */
async function lockProjects(em: Em): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(hashtext('guerdon projects'))`);
}

/** Projects in the order in which they were made. */
export async function listProjects(
  orm: Orm,
  { afterId, archived, limit }: { afterId: string; archived: boolean; limit: number },
): Promise<ProjectRecord[]> {
  const where = { id: { $gt: afterId }, ...(!archived && { archivedAt: null }) };
  return orm.em.fork().find(Project, where, { orderBy: { id: 'asc' }, limit });
}

export async function findProject(orm: Orm, where: { id: string } | { key: string }): Promise<ProjectRecord | null> {
  return orm.em.fork().findOne(Project, where);
}
