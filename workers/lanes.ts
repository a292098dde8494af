import { type Command, laneOf } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import { LaneHeldError } from '../src/db/serializable.ts';

/** Most commands that one transaction applies, and most of those that nobody waits for. */
const BATCH_MAX = 200;
const SLICE_MAX = 100;

/** So many batches that somebody waits for overtake one of an import; then it has its turn, so that it gets on. */
const OVERTAKING_MAX = 8;

/**
 * Lanes of one process that run at once. More would share the same processors and make each batch smaller, and a batch
 * costs the same dozen statements whatever its size.
 */
const RUNNING_MAX = 3;

/** A lane that could not be had is left alone for so long. */
const STUCK_MS = 1_000;

interface Item {
  command: Command;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

interface Lane {
  number: number;
  items: Item[];
  /** Of imports, when no items wait. */
  imported: Item[];
  /** Batches since one of an import. */
  overtaken: number;
  /** Waits for its turn, or runs. */
  busy: boolean;
  /** Somebody holds it and does not let go; not tried before this instant. Null: nothing is known against it. */
  stuckUntil: number | null;
}

export interface LanesOptions {
  /** How many lanes the whole deployment has. */
  count: number;
  apply(lane: number, commands: readonly Command[]): Promise<Outcome[]>;
  /** Told after the commit of each batch. */
  done(commands: readonly Command[], outcomes: readonly Outcome[]): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * Sorts the commands of all jobs in hand into lanes. A lane applies one batch at a time, of whatever has gathered while
 * the batch before was under way, so commands of one user keep the order in which they came. Where a batch fails, so does
 * all that has gathered behind it: it would else be applied before what it came after. A lane that is held elsewhere for
 * long takes nothing but one batch at a time that tries it, so that it is in nobody's way. What is imported waits in a queue
 * of its own, from which slices are taken when nobody waits, so an event that somebody waits for overtakes an import.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Lane[];
  readonly #waiting: Lane[] = [];
  #running = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.count }, (_, number) => ({
      number,
      items: [],
      imported: [],
      overtaken: 0,
      busy: false,
      stuckUntil: null,
    }));
  }

  /**
   * Gives the outcomes when all of them are committed and told; rejects when that could not be done, and then nothing is
   * known. Of an import, one slice a lane is to be handed over at a time, since one that fails takes no other with it.
   */
  async run(commands: readonly Command[], from: 'calls' | 'import' = 'calls'): Promise<Outcome[]> {
    const settled = await this.settle(commands, from);
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  /** As `run`, and tells of each command what became of it. Of one lane those that failed are the last ones. */
  async settle(
    commands: readonly Command[],
    from: 'calls' | 'import' = 'calls',
  ): Promise<PromiseSettledResult<Outcome>[]> {
    // Asked once, so that of one list no command is taken behind one that was not.
    const shut = new Set(this.#lanes.filter((lane) => this.#isShut(lane)));
    const outcomes = commands.map(
      (command) =>
        new Promise<Outcome>((resolve, reject) => {
          const lane = this.#lane(command);
          if (shut.has(lane)) reject(new LaneHeldError(lane.number));
          else (from === 'import' ? lane.imported : lane.items).push({ command, resolve, reject });
        }),
    );
    for (const lane of this.#lanes) {
      if (lane.busy || isEmpty(lane)) continue;
      lane.busy = true;
      this.#waiting.push(lane);
    }
    this.#start();
    return Promise.allSettled(outcomes);
  }

  #lane(command: Command): Lane {
    return this.#lanes[laneOf(command, this.#options.count)] as Lane;
  }

  #isShut({ stuckUntil, busy }: Lane): boolean {
    return stuckUntil !== null && (busy || this.#options.now() < stuckUntil);
  }

  /**
   * Gives free places to the lanes that have waited longest, those for which somebody waits before others; one that is
   * tried again takes no place from the others.
   */
  #start(): void {
    for (;;) {
      const free = this.#running < RUNNING_MAX;
      const may = this.#waiting.filter((lane) => free || lane.stuckUntil !== null);
      const lane = may.find(({ items, overtaken }) => items.length > 0 || overtaken >= OVERTAKING_MAX) ?? may[0];
      if (lane === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(lane), 1);
      const place = lane.stuckUntil === null ? 1 : 0;
      this.#running += place;
      void this.#runBatch(lane).then(() => {
        this.#running -= place;
        lane.busy = !isEmpty(lane);
        if (lane.busy) this.#waiting.push(lane);
        this.#start();
      });
    }
  }

  async #runBatch(lane: Lane): Promise<void> {
    const fromImport = lane.items.length === 0 || (lane.imported.length > 0 && lane.overtaken >= OVERTAKING_MAX);
    const batch = fromImport ? lane.imported.splice(0, SLICE_MAX) : lane.items.splice(0, BATCH_MAX);
    lane.overtaken = fromImport || lane.imported.length === 0 ? 0 : lane.overtaken + 1;
    try {
      const commands = batch.map((item) => item.command);
      const outcomes = await this.#options.apply(lane.number, commands);
      await this.#options.done(commands, outcomes);
      lane.stuckUntil = null;
      batch.forEach((item, index) => item.resolve(outcomes[index] as Outcome));
    } catch (error) {
      if (error instanceof LaneHeldError) lane.stuckUntil = this.#options.now() + STUCK_MS;
      const behind = fromImport ? [] : lane.items.splice(0);
      for (const item of [...batch, ...behind]) item.reject(error as Error);
    }
  }
}

function isEmpty({ items, imported }: Lane): boolean {
  return items.length === 0 && imported.length === 0;
}
