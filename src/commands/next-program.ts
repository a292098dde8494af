import { Audit } from '../db/entities/audit.ts';
import { Program } from '../db/entities/program.ts';
import { Project, type ProjectRecord } from '../db/entities/project.ts';
import { ZoneChange } from '../db/entities/zone-change.ts';
import type { Orm } from '../db/orm.ts';
import type { Change } from '../program/diff.ts';
import { timePart } from '../rules/era.ts';
import type { ProgramSnapshot } from '../rules/program.ts';

export type Em = Orm['em'];

/** Who makes a change of what is configured, and when. */
export interface Author {
  projectId: string;
  /** For the audit log: `key:PREFIX`, `cli:USER`, `setup`. */
  actor: string;
  now: number;
  uuid: () => string;
}

export async function readProject(em: Em, projectId: string): Promise<ProjectRecord> {
  return em.findOneOrFail(Project, { id: projectId }, { refresh: true });
}

/** The project, to which nobody else can give another program until the transaction ends, while others may read it so. */
export async function holdProject(em: Em, projectId: string): Promise<ProjectRecord> {
  await em.execute('select from projects where id = ? for share', [projectId]);
  return readProject(em, projectId);
}

/**
 * The project, which nobody else can give another program until the transaction ends. NO KEY, since the foreign keys of
 * its users look at the row: a stronger lock would hold up every event.
 */
export async function lockProject(em: Em, projectId: string): Promise<ProjectRecord> {
  await em.execute('select from projects where id = ? for no key update', [projectId]);
  return readProject(em, projectId);
}

/** The snapshot in force; without one the empty program that a project starts with. */
export async function programInForce(em: Em, project: ProjectRecord): Promise<ProgramSnapshot> {
  const program = await em.findOne(Program, { project, version: project.programVersion });
  return program?.snapshot ?? { timeZone: project.timeZone, systems: [] };
}

/** Puts the snapshot in force as the next program of a locked project, and says in the audit log what it changes. */
export async function nextProgram(
  em: Em,
  author: Author,
  project: ProjectRecord,
  snapshot: ProgramSnapshot,
  changes: readonly Change[],
): Promise<void> {
  const version = project.programVersion + 1;
  const era = await eraOf(em, project, snapshot, version);
  em.create(Program, { project, version, era, snapshot, createdAt: new Date(author.now) });
  for (const change of changes) audit(em, author, change, version);
  if (project.timeZone !== snapshot.timeZone) em.create(ZoneChange, { projectId: project.id });
  project.timeZone = snapshot.timeZone;
  project.programVersion = version;
  await em.flush();
}

/** The number of the first of the programs up to this one by which the clock gives the same. */
async function eraOf(em: Em, project: ProjectRecord, snapshot: ProgramSnapshot, version: number): Promise<number> {
  const before = await em.findOne(Program, { project, version: project.programVersion });
  const same = timePart(await programInForce(em, project)) === timePart(snapshot);
  return same ? (before?.era ?? 0) : version;
}

/** Notes a change in the audit log; written with the next flush. */
export function audit(
  em: Em,
  author: Author,
  change: Change,
  programVersion: number | null,
  userId: string | null = null,
): void {
  const { action, kind, key, fields } = change;
  em.create(Audit, {
    project: em.getReference(Project, author.projectId),
    at: new Date(author.now),
    actor: author.actor,
    action,
    kind,
    key,
    fields,
    programVersion,
    userId,
  });
}
