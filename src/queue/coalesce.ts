import type { Command } from '../commands/command.ts';
import type { JobQueue } from './backend.ts';
import { COMMANDS_MAX, JOB, JOB_OPTIONS, type Job, jobId } from './jobs.ts';

const RETRY_START_MS = 50;
const RETRY_MAX_MS = 1_000;

export interface Coalescing {
  queue: JobQueue;
  /** Whether a call still waits for the command; one that nobody waits for is not sent late. */
  wanted(command: Command): boolean;
  /** Told once the commands travel in a job. */
  sent(job: Job): void;
  onError(error: Error): void;
  delay(ms: number): Promise<void>;
}

/**
 * Puts commands into jobs: those that arrive while an enqueue is under way leave together in the next job, so an idle
 * server sends one a job and a busy one many. A list handed over together is never divided between jobs, since two
 * workers could apply them in another order.
 */
export class Coalescer {
  readonly #with: Coalescing;
  #waiting: (readonly Command[])[] = [];
  #accepted = 0;
  #running: Promise<void> | undefined;

  constructor(coalescing: Coalescing) {
    this.#with = coalescing;
  }

  /** How many commands are not sent yet that rows of the inbox hold; nobody waits for those. */
  get accepted(): number {
    return this.#accepted;
  }

  add(commands: readonly Command[]): void {
    this.#waiting.push(commands);
    this.#accepted += countAccepted(commands);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Settles when everything handed over is sent or no longer wanted. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Nothing is kept for callers that have given up; what is accepted, the sweep queues again. */
  #forgetUnwanted(): void {
    this.#waiting = this.#waiting
      .filter((list) => list.some((command) => this.#with.wanted(command)))
      .map((list) => this.#toSend(list));
    this.#count();
  }

  #toSend(list: readonly Command[]): Command[] {
    return list.filter((command) => command.inbox || this.#with.wanted(command));
  }

  #count(): void {
    this.#accepted = this.#waiting.reduce((sum, list) => sum + countAccepted(list), 0);
  }

  /** How many of the waiting lists go into one job: at least one. */
  #fitting(): number {
    let commands = 0;
    const tooMany = this.#waiting.findIndex((list) => {
      commands += list.length;
      return commands > COMMANDS_MAX;
    });
    return tooMany === -1 ? this.#waiting.length : Math.max(1, tooMany);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#waiting.length > 0) {
      const lists = this.#fitting();
      const commands = this.#waiting.slice(0, lists).flatMap((list) => this.#toSend(list));
      if (commands.length > 0) {
        const job = { commands };
        try {
          await sendJob(this.#with.queue, job);
        } catch (error) {
          this.#with.onError(error as Error);
          await this.#with.delay(Math.min(RETRY_MAX_MS, RETRY_START_MS * 2 ** failures));
          failures += 1;
          this.#forgetUnwanted();
          continue;
        }
        this.#with.sent(job);
      }
      failures = 0;
      this.#waiting.splice(0, lists);
      this.#count();
    }
  }
}

function countAccepted(commands: readonly Command[]): number {
  return commands.reduce((count, { inbox }) => (inbox ? count + 1 : count), 0);
}

/** Queues a job; the same commands again change nothing while they are in flight. */
export async function sendJob(queue: JobQueue, job: Job): Promise<void> {
  await queue.add(JOB, job, { ...JOB_OPTIONS, jobId: jobId(job.commands) });
}
