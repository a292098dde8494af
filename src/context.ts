import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { Catalog } from './db/catalog.ts';
import type { Orm } from './db/orm.ts';
import { createPool, type Pool } from './db/pool.ts';
import { Programs } from './db/programs.ts';
import { type Backend, openBackend } from './queue/backend.ts';
import { openReplies, type Replies } from './queue/replies.ts';
import type { Schedule } from './queue/schedule.ts';

/** Connections for reads and short statements of one process. */
const POOL_MAX = 10;

/** What the parts of one process share; made once, closed once. */
export interface Context {
  config: Config;
  databaseUrl: string;
  /** Name of the deployment: letters and digits. */
  deployment: string;
  /** How many lanes the deployment has. */
  lanes: number;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A time-ordered UUID. */
  uuid: () => string;
  /** Uniform in [0, 1). */
  random: () => number;
  pool: Pool;
  /** For administration. */
  orm: Orm;
  programs: Programs;
  catalog: Catalog;
  backend: Backend;
  /** Of what changes the status of boosts. */
  schedule: Schedule;
  /** Of what is to be told to webhooks. */
  webhooks: Schedule;
  replies: Replies;
  /** Name of this process towards others: letters and digits. */
  address: string;
}

/** What all processes of a deployment have in common, kept in its database. */
export interface Deployment {
  databaseUrl: string;
  /** Letters and digits. */
  name: string;
  lanes: number;
  orm: Orm;
}

export type Sources = Pick<Context, 'log' | 'now' | 'uuid' | 'random'>;

export function createContext(config: Config, deployment: Deployment, sources: Sources): Context {
  const { log, now, uuid } = sources;
  const { databaseUrl, orm } = deployment;
  const pool = createPool({
    url: databaseUrl,
    max: POOL_MAX,
    name: 'guerdon',
    pipeline: true,
    onError: (err) => log.warn({ err }, 'database connection lost'),
  });
  const onError = (err: Error) => log.warn({ err }, 'queue connection failed');
  const backend = openBackend({ redisUrl: config.redisUrl, databaseUrl, deployment: deployment.name, onError });
  return {
    ...sources,
    config,
    databaseUrl,
    deployment: deployment.name,
    lanes: deployment.lanes,
    pool,
    orm,
    programs: new Programs(),
    catalog: new Catalog(pool, now),
    backend,
    schedule: backend.schedule('schedule'),
    webhooks: backend.schedule('webhooks'),
    replies: openReplies(backend, { pool, url: databaseUrl }, onError),
    address: uuid().replaceAll('-', ''),
  };
}

export async function closeContext(context: Context): Promise<void> {
  await context.replies.close();
  await context.schedule.close();
  await context.webhooks.close();
  await context.backend.close();
  await context.pool.end();
  await context.orm.close(true);
}
