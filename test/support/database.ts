import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { TEMPLATE } from './template.ts';

export interface TestDatabase {
  url: string;
  pool: Pool;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

const SOURCE_BUSY = '55006';

/** A migrated database of its own. */
export async function createDatabase(): Promise<TestDatabase> {
  const database = await copy(TEMPLATE);
  const deployment = new URL(database.url).pathname.slice(1).replace('_', '');
  await database.pool.query(`update settings set value = to_jsonb($1::text) where name = 'deployment'`, [deployment]);
  return database;
}

/** A database of its own with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return copy('template0');
}

async function copy(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(async (client) => {
    for (;;) {
      try {
        await client.query(`create database ${name} template ${template}`);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== SOURCE_BUSY) throw error;
      }
    }
  });
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  const pool = createPool({ url: url.href, max: 5, name: 'test', onError: () => {} });
  return {
    url: url.href,
    pool,
    async drop() {
      await pool.end();
      await onServer((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

async function onServer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  const url = process.env.GUERDON_TEST_PG;
  if (url === undefined) throw new Error('GUERDON_TEST_PG is not set: run the tests with npm test');
  return url;
}
