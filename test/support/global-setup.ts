import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/orm.ts';
import { migrateQueue } from '../../src/queue/backend.ts';
import { redisBinary, startRedisServer } from './redis-server.ts';
import { TEMPLATE } from './template.ts';

/** One PostgreSQL and, where it can be had, one Redis for the whole run. */
export default async function globalSetup(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'guerdon-test-'));
  await chmod(dir, 0o755);
  const postgres = await startEmbeddedPostgres({
    dir,
    durable: false,
    settings: { shared_buffers: '128MB', max_connections: '300' },
  });
  const stops = [() => postgres.stop()];
  process.env.GUERDON_TEST_PG = postgres.url;
  process.env.GUERDON_TEST_COMPILED = join(dir, 'compiled');
  const redis = await findRedis();
  if (redis !== undefined) stops.push(redis.stop);
  const running = { dir, stops };
  (globalThis as { guerdonTest?: typeof running }).guerdonTest = running;
  await makeTemplate(postgres.url);
}

async function makeTemplate(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  const template = new URL(url);
  template.pathname = `/${TEMPLATE}`;
  await migrate(template.href);
  await migrateQueue(template.href);
  await admin.query(`alter database ${TEMPLATE} with allow_connections false`);
  await admin.end();
}

/** REDIS_URL, else a redis-server from the PATH on a free port. */
async function findRedis(): Promise<{ stop: () => Promise<void> } | undefined> {
  const binary = redisBinary();
  if (binary !== undefined) process.env.GUERDON_TEST_REDIS_SERVER = binary;
  if (process.env.REDIS_URL) {
    process.env.GUERDON_TEST_REDIS = process.env.REDIS_URL;
    return undefined;
  }
  if (binary === undefined) {
    process.stderr.write(
      `\n${'!'.repeat(100)}\nNo Redis: neither REDIS_URL nor a redis-server on the PATH. The tests of the queue on Redis DO NOT RUN.\n${'!'.repeat(100)}\n\n`,
    );
    return undefined;
  }
  const server = await startRedisServer(binary);
  process.env.GUERDON_TEST_REDIS = server.url;
  return { stop: server.stop };
}
