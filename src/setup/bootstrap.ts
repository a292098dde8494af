import { readFile } from 'node:fs/promises';
import { mintKey, storeKey } from '../commands/api-keys.ts';
import { applyEconomyIn } from '../commands/change-economy.ts';
import type { Author } from '../commands/next-program.ts';
import { ApiKey } from '../db/entities/api-key.ts';
import { Project, type ProjectRecord } from '../db/entities/project.ts';
import type { Orm } from '../db/orm.ts';
import { readKey } from '../keys.ts';
import { readEconomy } from '../program/read.ts';

type Em = Orm['em'];

const DEMO_ECONOMY = new URL('./demo-economy.yaml', import.meta.url);

export interface Sources {
  now: () => number;
  uuid: () => string;
}

/**
 * Makes sure that there is a project and an owner key in it. Gives the key where it is known: the configured one, or
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
    const now = new Date(sources.now());
    const taken = { $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
    if ((await em.count(ApiKey, { project, revokedAt: null, ...taken })) > 0) return undefined;
    return (await mintKey(em, setupAuthor(project, sources), OWNER)).key;
  });
}

/** The project with this key, or the one in use that was made first. */
export async function firstProject(em: Em, key?: string): Promise<ProjectRecord | undefined> {
  const where = key === undefined ? { archivedAt: null } : { key };
  const [project] = await em.find(Project, where, { orderBy: { id: 'asc' }, limit: 1 });
  return project;
}

const OWNER = { kind: 'owner', name: 'owner', user: null } as const;

async function ensureKey(em: Em, project: ProjectRecord, key: string, sources: Sources): Promise<void> {
  const read = readKey(key);
  if (read === undefined) throw new Error('an admin key has the form prefix.body');
  const { prefix, hash } = read;
  const known = await em.findOne(ApiKey, { prefix });
  if (known === null) {
    await storeKey(em, setupAuthor(project, sources), key, OWNER);
  } else if (!Buffer.from(known.hash).equals(hash)) {
    throw new Error(`GUERDON_ADMIN_KEY: another key with the prefix ${prefix} exists; choose another prefix`);
  } else if (known.revokedAt !== null || (known.expiresAt != null && known.expiresAt.getTime() <= sources.now())) {
    throw new Error(`GUERDON_ADMIN_KEY: the key ${prefix} is no longer taken; set its successor, or another one`);
  } else {
    // Whoever sets the environment of the deployment owns it.
    known.kind = 'owner';
    await em.flush();
  }
}

function setupAuthor(project: ProjectRecord, { now, uuid }: Sources): Author {
  return { projectId: project.id, actor: 'setup', now: now(), uuid };
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
  await applyEconomyIn(em, setupAuthor(project, sources), economy);
  return project;
}
