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
  /**
   * For sessions that run the same few statements, each an index look-up: planned once, and never in a way that suits
   * small tables only, since the plan outlives their growth.
   */
  indexesOnly?: boolean;
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
    pipeline: options.indexesOnly ?? false,
    options: settings(options)
      .map((setting) => `-c ${setting}`)
      .join(' '),
  });
  pool.on('error', (error) => {
    if (!pool.ending) options.onError(error);
  });
  return pool;
}

const INDEXES_ONLY = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'plan_cache_mode=force_generic_plan',
];

function settings({ searchPath, indexesOnly }: PoolOptions): string[] {
  return [
    'timezone=UTC',
    'jit=off',
    ...(searchPath === undefined ? [] : [`search_path=${searchPath}`]),
    ...(indexesOnly ? INDEXES_ONLY : []),
  ];
}

/** An instant as PostgreSQL reads it exactly. */
export function instantText(at: number): string {
  return new Date(at).toISOString();
}
