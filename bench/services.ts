import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { redisBinary, startRedisServer } from '../test/support/redis-server.ts';

/** The PostgreSQL and the Redis that all servers of a run share. */
export interface Services {
  databaseUrl: string;
  /** Undefined: there is none, and what needs it is not measured. */
  redisUrl: string | undefined;
  /** Where they come from, in words. */
  postgres: string;
  redis: string;
  stop(): Promise<void>;
}

type Say = (line: string) => void;

const DATA_DIR = join(import.meta.dirname, '.data');

/**
 * Those that the environment names, else an embedded PostgreSQL, durable and on the disk of the project, and a Redis that
 * appends to a file as docker-compose.yml has it.
 */
export async function startServices(env: Readonly<Record<string, string | undefined>>, say: Say): Promise<Services> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const postgres = env.DATABASE_URL || (await embedded(say, stops));
    const redis = env.REDIS_URL || (await ownRedis(say, stops));
    return {
      databaseUrl: postgres,
      redisUrl: redis,
      postgres: env.DATABASE_URL ? 'given by DATABASE_URL' : 'embedded',
      redis: env.REDIS_URL ? 'given by REDIS_URL' : redis === undefined ? 'none' : 'own, appendonly yes',
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function embedded(say: Say, stops: (() => Promise<void>)[]): Promise<string> {
  const database = await startEmbeddedPostgres({ dir: DATA_DIR, say });
  stops.push(async () => {
    await database.stop();
    await rm(database.dataDir, { recursive: true, force: true });
    await rm(DATA_DIR, { recursive: true, force: true });
  });
  return database.url;
}

async function ownRedis(say: Say, stops: (() => Promise<void>)[]): Promise<string | undefined> {
  const binary = redisBinary();
  if (binary === undefined) {
    say('!!! NO REDIS: neither REDIS_URL nor a redis-server on the PATH. Only the queue on PostgreSQL is measured.');
    return undefined;
  }
  const redis = await startRedisServer(binary, { appendOnly: true });
  stops.push(redis.stop);
  return redis.url;
}
