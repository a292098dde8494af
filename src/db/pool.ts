import { Socket } from 'node:net';
import pg from 'pg';

export type Pool = pg.Pool;
export type Client = pg.PoolClient;
/** A pool or one of its clients. */
export type Queryable = Pick<pg.Pool, 'query'>;

export interface PoolOptions {
  url: string;
  max: number;
  name: string;
  /** Schemas to look names up in; the default is the server's. */
  searchPath?: string;
  /** Statements that are sent before the one ahead is answered go out at once, on one connection. */
  pipeline?: boolean;
  /**
   * For the sessions of lanes. They run the same few statements, each an index look-up: planned once, and never in a way
   * that suits small tables only, since the plan outlives their growth.
   */
  lanes?: boolean;
  onError: (error: Error) => void;
}

/** A pool whose idle connections may break without ending the process: the next query opens another. */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.name,
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    stream: () => new GatheringSocket(),
    pipeline: options.pipeline ?? options.lanes ?? false,
    options: settings(options)
      .map((setting) => `-c ${setting}`)
      .join(' '),
  });
  // A client that is checked out has no listener of the pool's; its query fails by itself, but without a listener the
  // event would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => {
    if (!pool.ending) options.onError(error);
  });
  return pool;
}

/** Sends what is written within one turn of the event loop together: a batch's statements with one call of the system. */
class GatheringSocket extends Socket {
  #gathers = false;

  override cork(): void {
    super.cork();
    if (this.#gathers) return;
    this.#gathers = true;
    super.cork();
    process.nextTick(() => {
      this.#gathers = false;
      this.uncork();
    });
  }
}

/**
 * What holds a lane must not hold it for ever: one who waits gives up and comes again, and the server ends the session of
 * a process that is cut off or stands still.
 */
const LANE_LIMITS = [
  'lock_timeout=3s',
  'idle_in_transaction_session_timeout=30s',
  'idle_session_timeout=60s',
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
];

const INDEXES_ONLY = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'plan_cache_mode=force_generic_plan',
];

function settings({ searchPath, lanes }: PoolOptions): string[] {
  return [
    'timezone=UTC',
    'jit=off',
    ...(searchPath === undefined ? [] : [`search_path=${searchPath}`]),
    ...(lanes ? [...INDEXES_ONLY, ...LANE_LIMITS] : []),
  ];
}

let lastAt = 0;
let lastText = new Date(lastAt).toISOString();

/** An instant as PostgreSQL reads it exactly. Rows that are written together mostly have the same. */
export function instantText(at: number): string {
  if (at !== lastAt) {
    lastText = new Date(at).toISOString();
    lastAt = at;
  }
  return lastText;
}
