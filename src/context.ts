import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { Catalog } from './db/catalog.ts';
import { createPool, type Pool } from './db/pool.ts';
import { Programs } from './db/programs.ts';
import { type Backend, openBackend } from './queue/backend.ts';
import { openReplies, type Replies } from './queue/replies.ts';

/** Connections for reads and short statements of one process. */
const POOL_MAX = 10;

/** What the parts of one process share; made once, closed once. */
export interface Context {
  config: Config;
  databaseUrl: string;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A time-ordered UUID. */
  uuid: () => string;
  /** Uniform in [0, 1). */
  random: () => number;
  pool: Pool;
  programs: Programs;
  catalog: Catalog;
  backend: Backend;
  replies: Replies;
  /** Name of this process towards others: letters and digits. */
  address: string;
}

export type Sources = Pick<Context, 'log' | 'now' | 'uuid' | 'random'>;

export function createContext(config: Config, databaseUrl: string, sources: Sources): Context {
  const { log, now, uuid } = sources;
  const pool = createPool({
    url: databaseUrl,
    max: POOL_MAX,
    name: 'guerdon',
    onError: (err) => log.warn({ err }, 'database connection lost'),
  });
  const onError = (err: Error) => log.warn({ err }, 'queue connection failed');
  const backend = openBackend({ redisUrl: config.redisUrl, databaseUrl }, onError);
  return {
    ...sources,
    config,
    databaseUrl,
    pool,
    programs: new Programs(),
    catalog: new Catalog(pool, now),
    backend,
    replies: openReplies(backend, { pool, url: databaseUrl }, onError),
    address: uuid().replaceAll('-', ''),
  };
}

export async function closeContext(context: Context): Promise<void> {
  await context.replies.close();
  await context.backend.close();
  await context.pool.end();
}

/** How many lanes the deployment has: one number for all its processes, kept in the database. */
export async function lanesOf(context: Context): Promise<number> {
  const { rows } = await context.pool.query(`select value::int as lanes from settings where name = 'lanes'`);
  return rows[0].lanes as number;
}
