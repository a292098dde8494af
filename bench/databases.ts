import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { v7 } from 'uuid';
import { storeKey } from '../src/commands/api-keys.ts';
import { applyEconomyIn } from '../src/commands/change-economy.ts';
import { Project } from '../src/db/entities/project.ts';
import { migrate, openOrm } from '../src/db/orm.ts';
import { readEconomy } from '../src/program/read.ts';
import { migrateQueue } from '../src/queue/backend.ts';

/** The key that all calls are made with. */
export const KEY = 'bench.0123456789abcdef0123456789abcdef';

const ECONOMY = new URL('./economy.yaml', import.meta.url);

/** Databases of one run on one server; none is left when they are dropped. */
export class Databases {
  readonly #serverUrl: string;
  readonly #made = new Set<string>();

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl;
  }

  /** A database with the schema, the economy of the benchmark and its key; nobody is in it. */
  async createEmpty(): Promise<string> {
    const url = await this.#create('template0');
    await migrate(url);
    await migrateQueue(url);
    await addEconomy(url);
    return url;
  }

  /** A copy that is a deployment of its own. */
  async copy(url: string): Promise<string> {
    const copy = await this.#create(nameOf(url));
    const deployment = nameOf(copy).replaceAll('_', '');
    await onDatabase(copy, (client) =>
      client.query(`update settings set value = to_jsonb($1::text) where name = 'deployment'`, [deployment]),
    );
    return copy;
  }

  async drop(url: string): Promise<void> {
    await onDatabase(this.#serverUrl, (client) => client.query(`drop database if exists ${nameOf(url)} with (force)`));
    this.#made.delete(url);
  }

  /** Drops all that were made, but for one that is still needed. */
  async dropAll(except?: string): Promise<void> {
    for (const url of [...this.#made].filter((url) => url !== except)) await this.drop(url);
  }

  /** What the server says of itself. */
  async settings(names: readonly string[]): Promise<Record<string, string>> {
    return onDatabase(this.#serverUrl, async (client) => {
      const { rows } = await client.query('select name, current_setting(name) as value from unnest($1::text[]) name', [
        names,
      ]);
      return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    });
  }

  async #create(template: string): Promise<string> {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    // Copying files costs the run less than writing them to the log would.
    await onDatabase(this.#serverUrl, (client) =>
      client.query(`create database ${name} template ${template} strategy file_copy`),
    );
    const url = new URL(this.#serverUrl);
    url.pathname = `/${name}`;
    this.#made.add(url.href);
    return url.href;
  }
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** Runs some work on a connection of its own. */
export async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'guerdon-bench' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function addEconomy(url: string): Promise<void> {
  const { economy, problems } = readEconomy(await readFile(ECONOMY, 'utf8'));
  if (economy === undefined) throw new Error(`the economy has a problem: ${JSON.stringify(problems[0])}`);
  const orm = await openOrm(url);
  try {
    await orm.em.fork().transactional(async (em) => {
      const createdAt = new Date();
      const project = em.create(Project, { key: 'bench', name: 'Bench', timeZone: economy.timeZone, createdAt });
      await em.flush();
      const author = { projectId: project.id, actor: 'bench', now: createdAt.getTime(), uuid: () => v7() };
      await applyEconomyIn(em, author, economy);
      await storeKey(em, author, KEY, { kind: 'owner', name: 'bench', user: null });
    });
  } finally {
    await orm.close(true);
  }
}
