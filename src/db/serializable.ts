import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Pool } from './pool.ts';

/** First key of the advisory locks that hold a lane; the second is the lane's number. */
const LANE_LOCK = 1_735_750_770;
const ATTEMPTS_MAX = 40;
const BACKOFF_START_MS = 2;
const BACKOFF_MAX_MS = 200;

/** Conflicts that end differently when everything is done again: by code alone, since COMMIT raises raw errors. */
const CONFLICT_CODES = new Set(['40001', '40P01']);

/** Unique keys whose violation means that another writer got in between reading and writing. */
const RACE_CONSTRAINTS = new Set([
  'events_key_unique',
  'events_pkey',
  'events_seq_unique',
  'commands_key_unique',
  'commands_pkey',
  'entries_chain',
  'entries_pkey',
  'entries_cause_unique',
]);

/** Failures of the machinery, not of what was asked: connection, resources, shutdown, internal, disk. */
const MACHINERY_CLASSES = new Set(['08', '53', '55', '57', '58', 'XX', '25', '28', '3D']);

/** What a lane's transactions have met since the process began. */
export interface Attempts {
  begun: number;
  committed: number;
  conflicts: number;
}

export interface Lanes {
  pool: Pool;
  attempts: Attempts;
  /** Uniform in [0, 1). */
  random: () => number;
}

/**
 * Runs one lane's work alone, deployment-wide, in one serializable transaction, again from the start while it meets
 * conflicts. The lock is taken on the session before BEGIN: inside, the snapshot would already be stale. `read` runs
 * under the lock before BEGIN, where a SELECT conflicts with nobody; `write` runs inside and only inserts and upserts.
 */
export async function inLane<P, T>(
  lanes: Lanes,
  lane: number,
  read: (client: Client) => Promise<P>,
  write: (client: Client, prepared: P) => Promise<T>,
): Promise<T> {
  const client = await lanes.pool.connect();
  let broken: Error | undefined;
  try {
    await client.query({ name: 'lane-lock', text: 'select pg_advisory_lock($1, $2)', values: [LANE_LOCK, lane] });
    return await retrying(lanes, client, read, write);
  } catch (error) {
    if (isMachineryFailure(error)) broken = error as Error;
    throw error;
  } finally {
    if (broken === undefined) {
      await client
        .query({ name: 'lane-unlock', text: 'select pg_advisory_unlock($1, $2)', values: [LANE_LOCK, lane] })
        .catch((error: Error) => {
          broken = error;
        });
    }
    client.release(broken);
  }
}

async function retrying<P, T>(
  lanes: Lanes,
  client: Client,
  read: (client: Client) => Promise<P>,
  write: (client: Client, prepared: P) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const prepared = await read(client);
      lanes.attempts.begun += 1;
      await client.query('begin isolation level serializable');
      const result = await write(client, prepared);
      await client.query('commit');
      lanes.attempts.committed += 1;
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => {});
      if (!isConflict(error) || attempt === ATTEMPTS_MAX) throw error;
      lanes.attempts.conflicts += 1;
      const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_START_MS * 2 ** attempt);
      await sleep(ceiling * lanes.random());
    }
  }
}

interface DatabaseError {
  code?: unknown;
  constraint?: unknown;
}

/** Whether the same work may end differently when done again at once. */
export function isConflict(error: unknown): boolean {
  const { code, constraint } = (error ?? {}) as DatabaseError;
  if (typeof code !== 'string') return false;
  return CONFLICT_CODES.has(code) || (typeof constraint === 'string' && RACE_CONSTRAINTS.has(constraint));
}

/** Whether the database or the way to it failed, so that the work itself is not to blame. */
export function isMachineryFailure(error: unknown): boolean {
  const { code } = (error ?? {}) as DatabaseError;
  if (typeof code === 'string') {
    return /^[0-9A-Z]{5}$/.test(code) ? MACHINERY_CLASSES.has(code.slice(0, 2)) : /^E[A-Z]+$/.test(code);
  }
  return error instanceof Error && /connection|timeout|terminated|client has encountered/i.test(error.message);
}
