import { type Command, laneOf } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import { LaneHeldError } from '../src/db/serializable.ts';

/** Most commands that one transaction applies, and most of those that nobody waits for. */
const BATCH_MAX = 200;
const SLICE_MAX = 100;

/** So many batches that somebody waits for overtake one of an import; then it has its turn, so that it gets on. */
const OVERTAKING_MAX = 8;

/**
 * Batches of one process that run at once. More would share the same processors and be smaller, and a batch costs the same
 * dozen statements whatever its size.
 */
const RUNNING_MAX = 3;

/** A lane that could not be had is left alone for so long. */
const STUCK_MS = 1_000;

interface Item {
  command: Command;
  imported: boolean;
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
  apply(lanes: readonly number[], commands: readonly Command[]): Promise<Outcome[]>;
  /** Told after the commit of each batch. */
  done(commands: readonly Command[], outcomes: readonly Outcome[]): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * Sorts the commands of all jobs in hand into lanes. A lane has one batch at a time under way, of whatever has gathered
 * while the batch before was, so commands of one user keep the order in which they came; lanes with few commands share a
 * batch. Where a batch fails, so does all that has gathered behind it: it would else be applied before what it came after. A
 * lane that is held elsewhere for long takes nothing but one batch at a time that tries it, so that it is in nobody's way.
 * What is imported waits in a queue of its own, from which slices are taken when nobody waits, so an event that somebody waits
 * for overtakes an import.
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
    const imported = from === 'import';
    // Asked once, so that of one list no command is taken behind one that was not.
    const shut = new Set(this.#lanes.filter((lane) => this.#isShut(lane)));
    const outcomes = commands.map(
      (command) =>
        new Promise<Outcome>((resolve, reject) => {
          const lane = this.#lane(command);
          if (shut.has(lane)) reject(new LaneHeldError([lane.number]));
          else (imported ? lane.imported : lane.items).push({ command, imported, resolve, reject });
        }),
    );
    for (const lane of this.#lanes) {
      if (lane.busy || isEmpty(lane)) continue;
      lane.busy = true;
      this.#waiting.push(lane);
    }
    this.#start();
    const settled = await Promise.allSettled(outcomes);
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  #lane(command: Command): Lane {
    return this.#lanes[laneOf(command, this.#options.count)] as Lane;
  }

  #isShut({ stuckUntil, busy }: Lane): boolean {
    return stuckUntil !== null && (busy || this.#options.now() < stuckUntil);
  }

  #start(): void {
    for (let lanes = this.#next(); lanes !== undefined; lanes = this.#next()) {
      const together = lanes;
      for (const lane of together) this.#waiting.splice(this.#waiting.indexOf(lane), 1);
      const place = together.some(({ stuckUntil }) => stuckUntil !== null) ? 0 : 1;
      this.#running += place;
      void this.#runBatch(together).then(() => {
        this.#running -= place;
        for (const lane of together) {
          lane.busy = !isEmpty(lane);
          if (lane.busy) this.#waiting.push(lane);
        }
        this.#start();
      });
    }
  }

  /**
   * The lanes of the next batch, if there is a place for one: those that have waited longest, of these the ones for which
   * somebody waits before others. They share the free places, as far as a batch holds what they have. One that is tried again
   * is alone and takes no place from the others.
   */
  #next(): Lane[] | undefined {
    const tried = this.#waiting.find(({ stuckUntil }) => stuckUntil !== null);
    if (tried !== undefined) return [tried];
    const free = RUNNING_MAX - this.#running;
    const first = this.#waiting.find((lane) => lane.items.length > 0 || mustImport(lane)) ?? this.#waiting[0];
    if (free === 0 || first === undefined) return undefined;
    if (isForImport(first)) return [first];
    const called = this.#waiting.filter((lane) => !isForImport(lane));
    let size = 0;
    return called.slice(0, Math.ceil(called.length / free)).filter(({ items }, index) => {
      size += items.length;
      return index === 0 || size <= BATCH_MAX;
    });
  }

  async #runBatch(lanes: readonly Lane[]): Promise<void> {
    const taken = lanes.map((lane) => ({ lane, items: take(lane) }));
    const batch = taken.flatMap(({ items }) => items);
    try {
      const commands = batch.map((item) => item.command);
      const numbers = lanes.map(({ number }) => number);
      const outcomes = await this.#options.apply(numbers, commands);
      await this.#options.done(commands, outcomes);
      for (const lane of lanes) lane.stuckUntil = null;
      batch.forEach((item, index) => item.resolve(outcomes[index] as Outcome));
    } catch (error) {
      for (const { lane, items } of taken) this.#fail(lane, items, error as Error);
    }
  }

  /** Nothing of the batch was applied: what a lane gave that is not to blame is the first that it gives again. */
  #fail(lane: Lane, taken: readonly Item[], error: Error): void {
    const held = error instanceof LaneHeldError;
    const imported = taken[0]?.imported;
    if (held && !error.held.includes(lane.number)) {
      lane.items.unshift(...taken);
      return;
    }
    if (held) lane.stuckUntil = this.#options.now() + STUCK_MS;
    const behind = imported ? [] : lane.items.splice(0);
    for (const item of [...taken, ...behind]) item.reject(error);
  }
}

/** The next commands of a lane for a batch. */
function take(lane: Lane): Item[] {
  const fromImport = isForImport(lane);
  lane.overtaken = fromImport || lane.imported.length === 0 ? 0 : lane.overtaken + 1;
  return fromImport ? lane.imported.splice(0, SLICE_MAX) : lane.items.splice(0, BATCH_MAX);
}

function isForImport(lane: Lane): boolean {
  return lane.items.length === 0 || mustImport(lane);
}

/** Its import has been overtaken often enough. */
function mustImport({ imported, overtaken }: Lane): boolean {
  return imported.length > 0 && overtaken >= OVERTAKING_MAX;
}

function isEmpty({ items, imported }: Lane): boolean {
  return items.length === 0 && imported.length === 0;
}
