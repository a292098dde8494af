import { type Command, laneOf } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';

/** Most commands that one transaction applies. */
const BATCH_MAX = 200;

/**
 * Lanes of one process that run at once. More would share the same processors and make each batch smaller, and a batch
 * costs the same dozen statements whatever its size.
 */
const RUNNING_MAX = 3;

interface Item {
  command: Command;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

interface Lane {
  number: number;
  items: Item[];
  /** Waits for its turn, or runs. */
  busy: boolean;
}

export interface LanesOptions {
  /** How many lanes the whole deployment has. */
  count: number;
  apply(lane: number, commands: readonly Command[]): Promise<Outcome[]>;
  /** Told after the commit of each batch. */
  done(commands: readonly Command[], outcomes: readonly Outcome[]): Promise<void>;
}

/**
 * Sorts the commands of all jobs in hand into lanes. A lane applies one batch at a time, of whatever has gathered while
 * the batch before was under way, so commands of one user keep the order in which they came.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Lane[];
  readonly #waiting: Lane[] = [];
  #running = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.count }, (_, number) => ({ number, items: [], busy: false }));
  }

  /** Settles when all of them are committed and told; rejects when that could not be done, and then nothing is known. */
  async run(commands: readonly Command[]): Promise<void> {
    const outcomes = commands.map(
      (command) =>
        new Promise<Outcome>((resolve, reject) => {
          this.#lane(command).items.push({ command, resolve, reject });
        }),
    );
    for (const lane of this.#lanes) {
      if (lane.busy || lane.items.length === 0) continue;
      lane.busy = true;
      this.#waiting.push(lane);
    }
    this.#start();
    const settled = await Promise.allSettled(outcomes);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #lane(command: Command): Lane {
    return this.#lanes[laneOf(command, this.#options.count)] as Lane;
  }

  /** Gives free places to the lanes that have waited longest. */
  #start(): void {
    while (this.#running < RUNNING_MAX) {
      const lane = this.#waiting.shift();
      if (lane === undefined) return;
      this.#running += 1;
      void this.#runBatch(lane).then(() => {
        this.#running -= 1;
        lane.busy = lane.items.length > 0;
        if (lane.busy) this.#waiting.push(lane);
        this.#start();
      });
    }
  }

  async #runBatch(lane: Lane): Promise<void> {
    const batch = lane.items.splice(0, BATCH_MAX);
    try {
      const commands = batch.map((item) => item.command);
      const outcomes = await this.#options.apply(lane.number, commands);
      await this.#options.done(commands, outcomes);
      batch.forEach((item, index) => item.resolve(outcomes[index] as Outcome));
    } catch (error) {
      for (const item of batch) item.reject(error as Error);
    }
  }
}
