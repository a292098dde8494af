import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../commands/command.ts';
import { type Outcome, readOutcomes } from '../commands/outcome.ts';
import type { Pool } from '../db/pool.ts';
import { GuerdonError } from '../errors.ts';
import type { Backend, JobQueue } from './backend.ts';
import { Coalescer, sendJob } from './coalesce.ts';
import type { Replies } from './replies.ts';
import { Waiting } from './waiting.ts';

/** Calls that may wait in one process at once. */
const WAITING_MAX = 20_000;

export interface IngestOptions {
  backend: Backend;
  replies: Replies;
  pool: Pool;
  /** Address of this process for replies: letters and digits. */
  address: string;
  now(): number;
  onError(error: Error): void;
}

/** The way from a call to the queue and of the outcome back to the call. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #queue: JobQueue;
  readonly #waiting: Waiting;
  readonly #coalescer: Coalescer;

  constructor(options: IngestOptions) {
    const { pool, now, onError } = options;
    this.#options = options;
    const queue = options.backend.queue();
    this.#queue = queue;
    this.#waiting = new Waiting({
      now,
      onError,
      read: (commands) => readOutcomes(pool, commands),
      resend: (job) => sendJob(queue, job),
    });
    this.#coalescer = new Coalescer({
      queue,
      onError,
      wanted: (command) => this.#waiting.has(command.id),
      sent: (job) => this.#waiting.sent(job),
      delay: (ms) => sleep(ms),
    });
  }

  async start(): Promise<void> {
    await this.#options.replies.listen(this.#options.address, {
      outcome: ([id, outcome]) => this.#waiting.settle(id, outcome),
      ids: (ids) => this.#waiting.arrived(ids),
    });
  }

  /**
   * Sends commands on their way, in their order, and gives the outcome of each after its commit. Each promise rejects
   * with DEADLINE_EXCEEDED once `deadline` (epoch milliseconds) has passed; the command may still be applied then.
   */
  submit(commands: readonly Command[], deadline: number): Promise<Outcome>[] {
    if (this.#waiting.size + commands.length > WAITING_MAX) {
      throw new GuerdonError('RESOURCE_EXHAUSTED', 'TOO_MANY_CALLS', 'too many calls wait here; try again in a moment');
    }
    const addressed = commands.map((command) => ({ ...command, replyTo: this.#options.address }));
    const outcomes = addressed.map((command) => this.#waiting.wait(command, deadline));
    this.#coalescer.add(addressed);
    return outcomes;
  }

  /** Tells a call of this process its outcome. False: none waits for it here. */
  settle(id: string, outcome: Outcome): boolean {
    return this.#waiting.settle(id, outcome);
  }

  async close(): Promise<void> {
    this.#waiting.abandon(new GuerdonError('UNAVAILABLE', 'SHUTTING_DOWN', 'the server is stopping; call again'));
    await this.#coalescer.idle();
    await this.#queue.close();
  }
}
