import { ApiKey } from '../db/entities/api-key.ts';
import { Attribute } from '../db/entities/attribute.ts';
import { Metric } from '../db/entities/metric.ts';
import { PointsSystem } from '../db/entities/points-system.ts';
import { Program } from '../db/entities/program.ts';
import { Project, type ProjectRecord } from '../db/entities/project.ts';
import type { Orm } from '../db/orm.ts';
import { newKey, readKey } from '../keys.ts';
import { demo, demoProgram } from './demo.ts';

type Em = Orm['em'];

export interface Sources {
  now: () => number;
  uuid: () => string;
}

/**
 * Makes sure that there is a project and an admin key for it. Gives the key where it is known: the configured one, or
 * one that was made because there was none.
 */
export async function bootstrap(
  orm: Orm,
  configuredKey: string | undefined,
  sources: Sources,
): Promise<string | undefined> {
  return orm.em.fork().transactional(async (em) => {
    await em.execute(`select pg_advisory_xact_lock(hashtext('guerdon bootstrap'))`);
    const project = (await firstProject(em)) ?? (await makeDemo(em, sources));
    if (configuredKey !== undefined) {
      await ensureKey(em, project, configuredKey, sources);
      return configuredKey;
    }
    return (await em.count(ApiKey, { project, revokedAt: null })) > 0 ? undefined : mintKey(em, project, sources);
  });
}

/** The project with this key, or the one that was made first. */
export async function firstProject(em: Em, key?: string): Promise<ProjectRecord | undefined> {
  const where = key === undefined ? {} : { key };
  const [project] = await em.find(Project, where, { orderBy: { id: 'asc' }, limit: 1 });
  return project;
}

/** Makes another admin key of a project; its body is stored nowhere. */
export async function mintKey(em: Em, project: ProjectRecord, sources: Sources): Promise<string> {
  const key = newKey();
  await ensureKey(em, project, key, sources);
  return key;
}

async function ensureKey(em: Em, project: ProjectRecord, key: string, sources: Sources): Promise<void> {
  const read = readKey(key);
  if (read === undefined) throw new Error('an admin key has the form prefix.body');
  const { prefix, hash } = read;
  const known = await em.findOne(ApiKey, { prefix });
  if (known === null) {
    em.create(ApiKey, { project, prefix, hash, kind: 'admin', name: 'admin', createdAt: new Date(sources.now()) });
    await em.flush();
  } else if (known.revokedAt !== null || !Buffer.from(known.hash).equals(hash)) {
    throw new Error(`GUERDON_ADMIN_KEY: another key with the prefix ${prefix} exists; choose another prefix`);
  }
}

async function makeDemo(em: Em, sources: Sources): Promise<ProjectRecord> {
  const createdAt = new Date(sources.now());
  const { key, name, timeZone } = demo;
  const project = em.create(Project, { key, name, timeZone, programVersion: 1, createdAt });
  for (const attribute of demo.attributes) em.create(Attribute, { ...attribute, project, createdAt });
  const metrics = demo.metrics.map((metric) => em.create(Metric, { ...metric, project, createdAt }));
  const systems = demo.systems.map((system) => em.create(PointsSystem, { key: system, project, createdAt }));
  await em.flush();
  const snapshot = demoProgram(
    new Map(systems.map((system) => [system.key as 'xp', system.id])),
    new Map(metrics.map((metric) => [metric.key as 'lessons', metric.id])),
    sources.uuid,
  );
  em.create(Program, { project, version: 1, snapshot, createdAt });
  await em.flush();
  return project;
}
