import { setTimeout as sleep } from 'node:timers/promises';
import { accept } from '../commands/accept.ts';
import type { Command } from '../commands/command.ts';
import { type Outcome, readOutcomes } from '../commands/outcome.ts';
import type { Pool } from '../db/pool.ts';
import { GuerdonError } from '../errors.ts';
import { Accepting } from './accepting.ts';
import type { Backend, JobQueue } from './backend.ts';
import { Coalescer, sendJob } from './coalesce.ts';
import type { Replies } from './replies.ts';
import { Waiting } from './waiting.ts';

/** What a call that finds no room is told to wait before it comes again. */
const RETRY_MS = 250;

/** What became of a command, or that a row of the inbox holds it. */
export type Delivery = Outcome | { status: 'accepted' };

export interface IngestOptions {
  backend: Backend;
  replies: Replies;
  pool: Pool;
  /** Address of this process for replies: letters and digits. */
  address: string;
  /** Most commands that are in memory here at once. */
  inFlightMax: number;
  now(): number;
  onError(error: Error): void;
}

/** The way from a call to the queue and of the outcome back to the call. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #queue: JobQueue;
  readonly #waiting: Waiting;
  readonly #coalescer: Coalescer;
  readonly #accepting: Accepting;
  #reserved = 0;

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
      now,
      delay: (ms) => sleep(ms),
    });
    this.#accepting = new Accepting((commands) => accept(pool, commands, now()));
  }

  async start(): Promise<void> {
    await this.#options.replies.listen(this.#options.address, {
      outcome: ([id, outcome]) => this.#waiting.settle(id, outcome),
      ids: (ids) => this.#waiting.arrived(ids),
    });
  }

  /** Commands that are in memory here on their way: waited for, about to be stored or queued, or set room aside for. */
  get inFlight(): number {
    return this.#waiting.size + this.#accepting.size + this.#coalescer.accepted + this.#reserved;
  }

  /** Whether somebody waits for an outcome. */
  get isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Sends commands on their way, in their order, and gives the outcome of each after its commit; of one that is for the
   * inbox, that it is accepted, once a row holds it. Each promise rejects with DEADLINE_EXCEEDED once `deadline` (epoch
   * milliseconds) has passed; the command may still be applied then. Throws RESOURCE_EXHAUSTED where there is no room.
   */
  submit(commands: readonly Command[], deadline: number): Promise<Delivery>[] {
    this.#mustFit(commands.length);
    const addressed = commands.map((command) =>
      command.inbox ? command : { ...command, replyTo: this.#options.address },
    );
    const toStore = addressed.filter(({ inbox }) => inbox);
    if (toStore.length === 0) {
      const outcomes = addressed.map((command) => this.#waiting.wait(command, deadline));
      this.#coalescer.add(addressed, Promise.allSettled(outcomes));
      return outcomes;
    }
    const stored = this.#accepting.accept(toStore);
    const deliveries = addressed.map((command): Promise<Delivery> => {
      if (command.inbox) return stored.then(() => ({ status: 'accepted' }));
      return this.#waiting.wait(command, deadline);
    });
    stored.then(
      () => this.#coalescer.add(addressed, Promise.allSettled(deliveries)),
      (error: Error) => this.#waiting.fail(addressed, error),
    );
    return deliveries;
  }

  /**
   * Sets room aside for commands that come as a stream, in at most half of all there is, so that calls find some; gives
   * what gives it back. RESOURCE_EXHAUSTED where there is none.
   */
  reserve(count: number): () => void {
    this.#mustFit(count);
    if (this.#reserved + count > this.#options.inFlightMax / 2) throw noRoom();
    this.#reserved += count;
    let held = count;
    return () => {
      this.#reserved -= held;
      held = 0;
    };
  }

  #mustFit(count: number): void {
    if (this.inFlight + count > this.#options.inFlightMax) throw noRoom();
  }

  /** Tells a call of this process its outcome. False: none waits for it here. */
  settle(id: string, outcome: Outcome): boolean {
    return this.#waiting.settle(id, outcome);
  }

  async close(): Promise<void> {
    this.#waiting.abandon(new GuerdonError('UNAVAILABLE', 'SHUTTING_DOWN', 'the server is stopping; call again'));
    await this.#accepting.idle();
    await this.#coalescer.idle();
    await this.#queue.close();
  }
}

function noRoom(): GuerdonError {
  return new GuerdonError('RESOURCE_EXHAUSTED', 'TOO_MANY_CALLS', 'too much is under way here; try again in a moment', {
    retryMs: RETRY_MS,
  });
}
