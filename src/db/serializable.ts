import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict, isMachineryFailure } from './failures.ts';
import type { Client, Pool } from './pool.ts';

/** First key of the advisory locks that hold a lane; the second is the lane's number. */
const LANE_LOCK = 1_735_750_770;
const ATTEMPTS_MAX = 40;
const BACKOFF_START_MS = 2;
const BACKOFF_MAX_MS = 200;

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
