import type { Queue } from 'bullmq';

/** When the workers look for what is due. They find what it is in the database; a job only wakes them. */
export interface Schedule {
  /** Makes sure that there is a regular look; a schedule that was lost is put back. */
  ensure(): Promise<void>;
  /** Asks for a look at an instant, once however often it is asked for; a far one is left to a regular look to ask for. */
  at(instant: number, now: number): Promise<void>;
  /** Asks for a look at once. */
  wake(): Promise<void>;
  close(): Promise<void>;
}

/** So often a look is taken whatever else happens. */
const REGULAR_MS = 30_000;

const REGULAR = 'regular';
const OPTIONS = { removeOnComplete: true, removeOnFail: true } as const;

/** What is used of a BullMQ queue. */
export type TimedQueue = Pick<Queue, 'add' | 'close' | 'getJobScheduler' | 'upsertJobScheduler'>;

/** On BullMQ: a job scheduler for the regular look, and a delayed job for each instant. */
export class BullSchedule implements Schedule {
  readonly #queue: TimedQueue;

  constructor(queue: TimedQueue) {
    this.#queue = queue;
  }

  async ensure(): Promise<void> {
    if ((await this.#queue.getJobScheduler(REGULAR)) !== undefined) return;
    await this.#queue.upsertJobScheduler(REGULAR, { every: REGULAR_MS }, { name: REGULAR, opts: OPTIONS });
  }

  async at(instant: number, now: number): Promise<void> {
    if (instant > now + REGULAR_MS) return;
    const options = { ...OPTIONS, jobId: `at-${instant}`, delay: Math.max(0, instant - now) };
    await this.#queue.add('at', {}, options);
  }

  async wake(): Promise<void> {
    // Without a name of its own: a look that has begun may have seen too little.
    await this.#queue.add('wake', {}, OPTIONS);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
