import type { Queue } from 'bullmq';

/** When the workers look for what is due. They find what it is in the database; a job only wakes them. */
export interface Schedule {
  /** Makes sure that there is a regular look; a schedule that was lost is put back. */
  ensure(): Promise<void>;
  /** Asks for a look at an instant, once however often it is asked for; a far one is left to a regular look to ask for. */
  at(instant: number, now: number): Promise<void>;
  /** Asks for a look very soon: one for all who ask within a moment, and after the moment. */
  soon(now: number): Promise<void>;
  close(): Promise<void>;
}

/** So often a look is taken whatever else happens. */
const REGULAR_MS = 30_000;

/** The moments that looks which are asked for soon are put off to the end of. */
const MOMENT_MS = 50;

const REGULAR = 'regular';
const OPTIONS = { removeOnComplete: true, removeOnFail: true } as const;

/** What is used of a BullMQ queue. */
export type TimedQueue = Pick<Queue, 'add' | 'close' | 'getJobScheduler' | 'upsertJobScheduler'>;

/** On BullMQ: a job scheduler for the regular look, and a delayed job for each instant. */
export class BullSchedule implements Schedule {
  readonly #queue: TimedQueue;
  /** The end of the moment that a look was last asked for after. */
  #soon = 0;

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

  async soon(now: number): Promise<void> {
    const end = (Math.floor(now / MOMENT_MS) + 1) * MOMENT_MS;
    if (this.#soon === end) return;
    this.#soon = end;
    await this.at(end, now).catch((error: unknown) => {
      this.#soon = 0;
      throw error;
    });
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
