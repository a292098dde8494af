import type { Command } from '../commands/command.ts';
import type { JobQueue } from './backend.ts';
import { COMMANDS_MAX, JOB, JOB_OPTIONS, type Job, jobId } from './jobs.ts';

const RETRY_START_MS = 50;
const RETRY_MAX_MS = 1_000;

/** Longest that commands are gathered while a job is under way. */
const GATHER_MS = 20;

/**
 * After a job that so many lists have shared, the next one waits for this part of the time that it took, and no longer than it
 * would gather: who was just answered is about to call again, and a job costs much the same whatever is in it.
 */
const CROWD = 3;
const REST = 0.5;

export interface Coalescing {
  queue: JobQueue;
  /** Whether a call still waits for the command; one that nobody waits for is not sent late. */
  wanted(command: Command): boolean;
  /** Told once the commands travel in a job. */
  sent(job: Job): void;
  onError(error: Error): void;
  /** Epoch milliseconds. */
  now(): number;
  delay(ms: number): Promise<void>;
}

/** Commands that were handed over together. */
interface List {
  commands: readonly Command[];
  answered: Promise<unknown>;
}

/**
 * Puts commands into jobs. Those that arrive while an enqueue is under way, or for a short time a job, or shortly after one
 * that many have shared, leave together in the next one, so an idle server sends one a job and a busy one many. A list handed
 * over together is never divided between jobs, since two workers could apply them in another order.
 */
export class Coalescer {
  readonly #with: Coalescing;
  #waiting: List[] = [];
  #accepted = 0;
  #running: Promise<void> | undefined;
  /** Jobs that are sent and not answered. */
  #open = 0;
  /** No job is sent before this instant. */
  #restUntil = 0;
  #wake: () => void = () => {};

  constructor(coalescing: Coalescing) {
    this.#with = coalescing;
  }

  /** How many commands are not sent yet that rows of the inbox hold; nobody waits for those. */
  get accepted(): number {
    return this.#accepted;
  }

  /** `answered` settles once all of them have what they wait for; it never rejects. */
  add(commands: readonly Command[], answered: Promise<unknown>): void {
    this.#waiting.push({ commands, answered });
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
      .filter(({ commands }) => commands.some((command) => this.#with.wanted(command)))
      .map((list) => ({ ...list, commands: this.#toSend(list) }));
    this.#count();
  }

  #toSend({ commands }: List): Command[] {
    return commands.filter((command) => command.inbox || this.#with.wanted(command));
  }

  #count(): void {
    this.#accepted = this.#waiting.reduce((sum, list) => sum + countAccepted(list.commands), 0);
  }

  /** How many of the waiting lists go into one job: at least one. */
  #fitting(): number {
    let commands = 0;
    const tooMany = this.#waiting.findIndex((list) => {
      commands += list.commands.length;
      return commands > COMMANDS_MAX;
    });
    return tooMany === -1 ? this.#waiting.length : Math.max(1, tooMany);
  }

  /** More waits than one job can take. */
  #isFull(): boolean {
    return this.#fitting() < this.#waiting.length;
  }

  /** While a job is under way, what comes would wait behind it anyway: it had better be in one job than in several. */
  async #gather(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([answered, this.#with.delay(GATHER_MS)]);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#waiting.length > 0) {
      if (this.#open > 0) await this.#gather();
      // A clock that was set back makes nobody wait for it.
      const rest = Math.min(GATHER_MS, this.#restUntil - this.#with.now());
      if (rest > 0 && !this.#isFull()) await this.#with.delay(rest);
      const lists = this.#fitting();
      const taken = this.#waiting.slice(0, lists);
      const commands = taken.flatMap((list) => this.#toSend(list));
      if (commands.length > 0) {
        const job = { commands };
        const sentAt = this.#with.now();
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
        this.#open += 1;
        void Promise.all(taken.map(({ answered }) => answered)).then(() => {
          this.#open -= 1;
          const now = this.#with.now();
          this.#restUntil = taken.length < CROWD ? now : now + Math.min(GATHER_MS, REST * (now - sentAt));
          this.#wake();
        });
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
