import { readFile } from 'node:fs/promises';
import { applyEconomyIn } from '../commands/change-economy.ts';
import { ApiKey } from '../db/entities/api-key.ts';
import { Project, type ProjectRecord } from '../db/entities/project.ts';
import type { Orm } from '../db/orm.ts';
import { newKey, readKey } from '../keys.ts';
import { readEconomy } from '../program/read.ts';

type Em = Orm['em'];

const DEMO_ECONOMY = new URL('./demo-economy.yaml', import.meta.url);

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

/** The demo project, made from its economy file as a product team would make theirs. */
async function makeDemo(em: Em, sources: Sources): Promise<ProjectRecord> {
  const { economy, problems } = readEconomy(await readFile(DEMO_ECONOMY, 'utf8'));
  if (economy === undefined) throw new Error(`the demo economy has a problem: ${JSON.stringify(problems[0])}`);
  const project = em.create(Project, {
    key: 'demo',
    name: 'Demo',
    timeZone: economy.timeZone,
    createdAt: new Date(sources.now()),
  });
  await em.flush();
  await applyEconomyIn(em, { ...sources, projectId: project.id, actor: 'setup', now: sources.now() }, economy);
  return project;
}
