import {
  type BackendFactory,
  createPostgresBackend,
  type JobsOptions,
  type PostgresQueueBackend,
  Queue,
  runMigrations,
  Worker,
} from 'bullmq';
import { Redis } from 'ioredis';
import { createPool, type Pool } from '../db/pool.ts';
import { type Job, queueName, type Timed, timedName } from './jobs.ts';
import { BullSchedule, type Schedule, type TimedQueue } from './schedule.ts';

/** What is used of a BullMQ queue. */
export interface JobQueue {
  /** Does nothing when a job of the same id is still there. */
  add(name: string, job: Job, options: JobsOptions): Promise<unknown>;
  close(): Promise<void>;
}

/** What is used of a BullMQ worker; closing waits for the jobs in hand. */
export interface JobWorker {
  close(): Promise<void>;
}

/** What is used of a job in hand; one that fails is tried again with the data that it then has. */
export interface JobInHand {
  data: Job;
  updateData(data: Job): Promise<void>;
}

export type Process = (job: JobInHand) => Promise<void>;

/** Where the queue lives: Redis, or PostgreSQL where there is no Redis. */
export interface Backend {
  kind: 'redis' | 'postgres';
  queue(): JobQueue;
  worker(process: Process, concurrency: number): JobWorker;
  schedule(timed: Timed): Schedule;
  /** Runs `process` at each time that is scheduled for it, one at a time in this process. */
  scheduleWorker(timed: Timed, process: () => Promise<void>): JobWorker;
  /** A Redis connection of its own, for publishing or subscribing; only where the queue lives in Redis. */
  redis: (() => Redis) | undefined;
  close(): Promise<void>;
}

/** A worker that dies leaves its jobs to others after about this long. */
const LOCK_MS = 5_000;
const STALLED_CHECK_MS = 2_000;
const STALLED_MAX = 10;
const RETRY_MS = 500;
/** Longest that a job which failed waits for its next try. */
const AGAIN_MAX_MS = 2_000;

/** Connections for the queue on PostgreSQL: each worker holds one to listen, the rest are for short statements. */
const POSTGRES_CONNECTIONS = 12;

const WORKER_OPTIONS = {
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_CHECK_MS,
  maxStalledCount: STALLED_MAX,
  runRetryDelay: RETRY_MS,
  settings: { backoffStrategy: (attempts: number) => Math.min(AGAIN_MAX_MS, RETRY_MS * 2 ** (attempts - 1)) },
} as const;

/** The factory asks for its own pool type, which a pg.Pool has the shape of. */
const postgresFactory = createPostgresBackend as unknown as BackendFactory<PostgresQueueBackend, Pool>;

type Say = (error: Error) => void;

export interface BackendOptions {
  redisUrl: string | undefined;
  databaseUrl: string;
  /** Name of the deployment: letters and digits. */
  deployment: string;
  onError: Say;
}

export function openBackend(options: BackendOptions): Backend {
  const { deployment, redisUrl, databaseUrl } = options;
  let closing = false;
  // Of connections that end because they are to end, nothing is said.
  const onError = (error: Error): void => {
    if (!closing) options.onError(error);
  };
  const backend =
    redisUrl === undefined
      ? postgresBackend(deployment, databaseUrl, onError)
      : redisBackend(deployment, redisUrl, onError);
  return {
    ...backend,
    close: () => {
      closing = true;
      return backend.close();
    },
  };
}

function redisBackend(deployment: string, url: string, onError: Say): Backend {
  const name = queueName(deployment);
  const named = (timed: Timed) => timedName(deployment, timed);
  const open: Redis[] = [];
  // Who adds a job is told at once that Redis is away, and decides whether to try again; only workers wait for it.
  const connect = (maxRetriesPerRequest: number | null = null): Redis => {
    const redis = new Redis(url, {
      maxRetriesPerRequest,
      retryStrategy: (times) => Math.min(times * 50, RETRY_MS),
    });
    redis.on('error', onError);
    open.push(redis);
    return redis;
  };
  const work = (queue: string, process: Process, concurrency: number): JobWorker => {
    const connection = connect();
    const worker = listening(new Worker(queue, process, { ...WORKER_OPTIONS, connection, concurrency }), onError);
    // While Redis is away no job can be finished: they come again elsewhere, and waiting for them would never end.
    return { close: () => worker.close(connection.status !== 'ready') };
  };
  return {
    kind: 'redis',
    queue: () => listening(new Queue(name, { connection: connect(1) }), onError),
    worker: (process, concurrency) => work(name, process, concurrency),
    schedule: (timed) => new BullSchedule(listening(new Queue(named(timed), { connection: connect(1) }), onError)),
    scheduleWorker: (timed, process) => work(named(timed), process, 1),
    redis: connect,
    close: async () => {
      for (const redis of open) redis.disconnect();
    },
  };
}

function postgresBackend(deployment: string, url: string, onError: Say): Backend {
  const name = queueName(deployment);
  const named = (timed: Timed) => timedName(deployment, timed);
  const connection: Pool = createPool({
    url,
    max: POSTGRES_CONNECTIONS,
    name: 'guerdon-queue',
    searchPath: 'bullmq,public',
    onError,
  });
  return {
    kind: 'postgres',
    queue: () => listening(new Queue(name, { connection }, postgresFactory), onError),
    worker: (process, concurrency) =>
      listening(new Worker(name, process, { ...WORKER_OPTIONS, connection, concurrency }, postgresFactory), onError),
    schedule: (timed) =>
      new BullSchedule(listening(new Queue(named(timed), { connection }, postgresFactory), onError) as TimedQueue),
    scheduleWorker: (timed, process) =>
      listening(new Worker(named(timed), process, { ...WORKER_OPTIONS, connection }, postgresFactory), onError),
    redis: undefined,
    close: () => connection.end(),
  };
}

/** Without a listener, an error of a lost connection would end the process. */
function listening<T extends { on(event: 'error', listener: Say): unknown }>(emitter: T, onError: Say): T {
  emitter.on('error', onError);
  return emitter;
}

/** Makes or renews the queue's own tables in PostgreSQL; needed once a deployment when the queue lives there. */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  const pool = createPool({ url: databaseUrl, max: 1, name: 'guerdon-migrate', onError: () => {} });
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
    await pool.end();
  }
}
