import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict, isLockTimeout, isMachineryFailure, isRace, LOCK_TIMEOUT } from './failures.ts';
import type { Client, Pool } from './pool.ts';

/** First key of the advisory locks that hold a lane; the second is the lane's number. */
const LANE_LOCK = 1_735_750_770;
const ATTEMPTS_MAX = 40;
const RACE_ATTEMPTS_MAX = 4;
const BACKOFF_START_MS = 2;
const BACKOFF_MAX_MS = 200;

/** What the transactions of lanes have met since the process began. */
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

/** The lane's lock could not be had in time: somebody holds it who is cut off or stands still. */
export class LaneHeldError extends Error {
  /** That of the lock, so that it counts as a failure of the machinery. */
  readonly code = LOCK_TIMEOUT;

  constructor(lane: number) {
    super(`lane ${lane} is held elsewhere`);
    this.name = 'LaneHeldError';
  }
}

/** Of lanes that were to be had at once, some are held elsewhere just now; nothing was done. */
export class LanesBusyError extends Error {
  readonly busy: readonly number[];

  constructor(busy: readonly number[]) {
    super(`lanes ${busy.join(', ')} are held elsewhere at the moment`);
    this.name = 'LanesBusyError';
    this.busy = busy;
  }
}

/** One lane, which is waited for, or lanes that are had at once or not at all: then it is a LanesBusyError. */
export type Which = number | readonly number[];

export interface Work<P, T> {
  /** Runs under the locks before BEGIN, where a SELECT conflicts with nobody. */
  read(client: Client): Promise<P>;
  /**
   * Runs inside the transaction and only inserts and upserts. `written` settles with its last statements, which are on
   * their way when `write` returns.
   */
  write(client: Client, prepared: P): Promise<{ result: T; written: Promise<unknown> }>;
}

/**
 * Runs the work of some lanes alone, deployment-wide, in one serializable transaction, again from the start while it meets
 * conflicts. The locks are taken on the session before BEGIN: inside, the snapshot would already be stale.
 */
export async function inLanes<P, T>(lanes: Lanes, which: Which, work: Work<P, T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryInLanes(lanes, which, work);
    } catch (error) {
      const attemptsMax = isConflict(error) ? ATTEMPTS_MAX : isRace(error) ? RACE_ATTEMPTS_MAX : 1;
      if (attempt >= attemptsMax) throw error;
      lanes.attempts.conflicts += 1;
      const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_START_MS * 2 ** attempt);
      await sleep(ceiling * lanes.random());
    }
  }
}

/** Statements go out together where none needs the answer of another: the way to the server costs more than they do. */
async function tryInLanes<P, T>(lanes: Lanes, which: Which, work: Work<P, T>): Promise<T> {
  const client = await lanes.pool.connect();
  const unlock = () => client.query({ name: 'lane-unlock', text: 'select pg_advisory_unlock_all()' });
  let broken: Error | undefined;
  try {
    const [, prepared] = await together([lock(client, which), work.read(client)]);
    lanes.attempts.begun += 1;
    const [, { result, written }] = await together([
      client.query('begin isolation level serializable'),
      work.write(client, prepared),
    ]);
    // Should a statement have failed, COMMIT rolls back and does not fail itself.
    await together([written, client.query('commit'), unlock()]);
    lanes.attempts.committed += 1;
    return result;
  } catch (error) {
    if (isMachineryFailure(error)) broken = error as Error;
    else await together([client.query('rollback'), unlock()]).catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function lock(client: Client, which: Which): Promise<void> {
  if (typeof which === 'number') {
    try {
      await client.query({ name: 'lane-lock', text: 'select pg_advisory_lock($1, $2)', values: [LANE_LOCK, which] });
    } catch (error) {
      throw isLockTimeout(error) ? new LaneHeldError(which) : error;
    }
    return;
  }
  const { rows } = await client.query({
    name: 'lanes-lock',
    text: 'select lane from unnest($2::int[]) as asked (lane) where not pg_try_advisory_lock($1, lane)',
    values: [LANE_LOCK, which],
  });
  if (rows.length > 0) throw new LanesBusyError(rows.map((row) => row.lane as number));
}

/** Waits for all to settle, so that nothing of a failed attempt is still under way; then fails with the first failure. */
async function together<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never;
}
