import { type Command, identityOf } from '../commands/command.ts';
import type { Outcome } from '../commands/outcome.ts';
import { GuerdonError } from '../errors.ts';
import type { Job } from './jobs.ts';

/** An outcome that no message brought is read from the database after this long, and again at the longer interval. */
const FIRST_READ_MS = 250;
const READ_AGAIN_MS = 1_000;
const TICK_MS = 25;
const READ_MAX = 500;

/** Reads without an outcome before a job is queued again: it may be lost, and if not, its id is still taken. */
const READS_BEFORE_RESEND = 2;

export interface WaitingFor {
  now(): number;
  read(commands: readonly Command[]): Promise<Map<string, Outcome>>;
  resend(job: Job): Promise<void>;
  onError(error: Error): void;
}

interface Waiter {
  command: Command;
  deadline: number;
  readAt: number;
  reads: number;
  job: Job | undefined;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** The calls of this process that wait for outcomes. */
export class Waiting {
  readonly #for: WaitingFor;
  readonly #waiters = new Map<string, Waiter>();
  readonly #byIdentity = new Map<string, Set<Waiter>>();
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  #resending = false;

  constructor(waitingFor: WaitingFor) {
    this.#for = waitingFor;
  }

  get size(): number {
    return this.#waiters.size;
  }

  has(id: string): boolean {
    return this.#waiters.has(id);
  }

  /** The outcome of the command, or DEADLINE_EXCEEDED once `deadline` (epoch milliseconds) has passed. */
  wait(command: Command, deadline: number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const readAt = this.#for.now() + FIRST_READ_MS;
      const waiter: Waiter = { command, deadline, readAt, reads: 0, job: undefined, resolve, reject };
      this.#waiters.set(command.id, waiter);
      const identity = identityOf(command);
      const same = this.#byIdentity.get(identity);
      if (same === undefined) this.#byIdentity.set(identity, new Set([waiter]));
      else same.add(waiter);
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    });
  }

  /** Tells a waiting call its outcome. False: no call of this process waits for it. */
  settle(id: string, outcome: Outcome): boolean {
    const waiter = this.#remove(id);
    if (waiter === undefined) return false;
    waiter.resolve(outcome);
    this.#hurry(this.#byIdentity.get(identityOf(waiter.command)));
    return true;
  }

  /** The commands travel in this job, which is queued again should it be lost. */
  sent(job: Job): void {
    for (const command of job.commands) {
      const waiter = this.#waiters.get(command.id);
      if (waiter !== undefined) waiter.job = job;
    }
  }

  /** Ends the waiting for these commands with an error. */
  fail(commands: readonly Command[], error: Error): void {
    for (const { id } of commands) this.#remove(id)?.reject(error);
  }

  /** Reads these outcomes at once: the database has them. */
  arrived(ids: readonly string[]): void {
    const waiters = ids.map((id) => this.#waiters.get(id)).filter((waiter) => waiter !== undefined);
    this.#hurry(waiters);
  }

  /** Ends all waiting with an error. */
  abandon(error: Error): void {
    this.fail(
      [...this.#waiters.values()].map(({ command }) => command),
      error,
    );
  }

  /** Calls whose repeat was dropped by the queue learn of the first one's outcome from the database. */
  #hurry(waiters: Iterable<Waiter> | undefined): void {
    let any = false;
    for (const waiter of waiters ?? []) {
      waiter.readAt = 0;
      any = true;
    }
    if (any) void this.#read();
  }

  #remove(id: string): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return undefined;
    this.#waiters.delete(id);
    const identity = identityOf(waiter.command);
    const same = this.#byIdentity.get(identity);
    same?.delete(waiter);
    if (same?.size === 0) this.#byIdentity.delete(identity);
    if (this.#waiters.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    return waiter;
  }

  #tick(): void {
    const now = this.#for.now();
    for (const [id, waiter] of this.#waiters) {
      if (waiter.deadline > now) continue;
      this.#remove(id)?.reject(
        new GuerdonError(
          'DEADLINE_EXCEEDED',
          'DEADLINE_PASSED',
          'the deadline passed before the commit; it may still be applied: repeat with the same idempotency key',
          { metadata: { attempt: id } },
        ),
      );
    }
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (let due = this.#due(); due.length > 0; due = this.#due()) {
        for (const waiter of due) {
          waiter.reads += 1;
          waiter.readAt = this.#for.now() + READ_AGAIN_MS;
        }
        const outcomes = await this.#for.read(due.map((waiter) => waiter.command));
        for (const [id, outcome] of outcomes) this.settle(id, outcome);
        void this.#resendLost(due);
      }
    } catch (error) {
      this.#for.onError(error as Error);
    } finally {
      this.#reading = false;
    }
  }

  /** Those that have waited longest for their turn, and before them those whose outcome is known to be there. */
  #due(): Waiter[] {
    const now = this.#for.now();
    const due = [...this.#waiters.values()].filter((waiter) => waiter.readAt <= now);
    return due.sort((a, b) => a.readAt - b.readAt).slice(0, READ_MAX);
  }

  /** Apart from reading, which must not wait for a queue that is away. */
  async #resendLost(read: readonly Waiter[]): Promise<void> {
    if (this.#resending) return;
    const jobs = new Set<Job>();
    for (const waiter of read) {
      if (waiter.job !== undefined && waiter.reads >= READS_BEFORE_RESEND && this.has(waiter.command.id)) {
        jobs.add(waiter.job);
      }
    }
    this.#resending = true;
    try {
      for (const job of jobs) await this.#for.resend(job);
    } catch (error) {
      this.#for.onError(error as Error);
    } finally {
      this.#resending = false;
    }
  }
}
