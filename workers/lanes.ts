import { type Command, laneOf } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import { LaneHeldError, LanesBusyError, type Which } from '../src/db/serializable.ts';
import { BATCH_MAX, emptyLane, isEmpty, type Lane, placeOf, type Running, type Share, take } from './lane.ts';

/**
 * A batch of calls begins where there is none. One beside another begins only while fewer batches than this run in the process
 * and so many commands wait for it: small ones would share the same processors, and a batch costs the same dozen statements
 * whatever its size.
 */
const RUNNING_MAX = 3;
const WORTH_ONE = 50;

/** Most batches of imports that run at once; while calls come, and for so long after the last one, fewer. */
const IMPORTING_MAX = 3;
const IMPORTING_MAX_AMID_CALLS = 1;
const AMID_CALLS_MS = 1_000;

/** A lane that could not be had is left alone for so long; one that is waited for for so long takes nothing more. */
const STUCK_MS = 1_000;
const PATIENCE_MS = 500;

export interface LanesOptions {
  /** How many lanes the whole deployment has. */
  count: number;
  /** All commands of a batch; where it fails with LanesBusyError, they are given again. */
  apply(lanes: Which, commands: readonly Command[]): Promise<Outcome[]>;
  /** Told after the commit of each batch. */
  done(commands: readonly Command[], outcomes: readonly Outcome[]): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * Sorts the commands of all jobs in hand into lanes. A lane has one batch at a time under way, of whatever has gathered
 * while the batch before was, so commands of one user keep the order in which they came; lanes share a batch as far as it
 * holds what they have. Where a batch fails, so does all that has gathered behind it: it would else be applied before what it
 * came after. A lane that is held elsewhere shares none, and where that takes long it takes nothing but one batch at a time
 * that tries it, so that it is in nobody's way. What is imported waits in a queue of its own, from which slices are taken when
 * nobody waits, so an event that somebody waits for overtakes an import.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Lane[];
  readonly #waiting: Lane[] = [];
  /** When the last call came. */
  #calledAt = Number.NEGATIVE_INFINITY;
  readonly #running: Running = { calls: 0, imports: 0, lock: 0 };

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.count }, (_, number) => emptyLane(number));
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
    // For what is settled by the clock nobody waits.
    if (from === 'calls' && commands.some(({ kind }) => kind !== 'settle')) this.#calledAt = this.#options.now();
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

  #isShut({ stuckUntil, contendedSince, busy }: Lane): boolean {
    if (stuckUntil !== null) return busy || this.#options.now() < stuckUntil;
    return contendedSince !== null && this.#options.now() > contendedSince + PATIENCE_MS;
  }

  #isAmidCalls(): boolean {
    return this.#options.now() - this.#calledAt < AMID_CALLS_MS;
  }

  #start(): void {
    for (let lanes = this.#next(); lanes.length > 0; lanes = this.#next()) {
      const shared = lanes;
      const place = placeOf(shared[0] as Lane);
      for (const lane of shared) this.#waiting.splice(this.#waiting.indexOf(lane), 1);
      this.#running[place] += 1;
      const amidCalls = this.#isAmidCalls();
      const shares = shared.map((lane) => take(lane, amidCalls));
      void this.#runBatch(shares, place).then(() => {
        this.#running[place] -= 1;
        for (const lane of shared) {
          lane.busy = !isEmpty(lane);
          if (lane.busy) this.#waiting.push(lane);
        }
        this.#start();
      });
    }
  }

  /** The lanes of the next batch, if there is to be one: of those that may go, the ones that have waited longest. */
  #next(): Lane[] {
    const waitsForLock = this.#waiting.find((lane) => placeOf(lane) === 'lock');
    if (waitsForLock !== undefined) return [waitsForLock];
    const { calls, imports } = this.#running;
    let size = 0;
    const called = this.#waiting.filter((lane) => {
      if (placeOf(lane) !== 'calls' || size >= BATCH_MAX) return false;
      size += lane.items.length;
      return true;
    });
    if (size > 0 && (calls === 0 || (size >= WORTH_ONE && calls + imports < RUNNING_MAX))) return called;
    if (imports >= (this.#isAmidCalls() ? IMPORTING_MAX_AMID_CALLS : IMPORTING_MAX)) return [];
    return this.#waiting.filter((lane) => placeOf(lane) === 'imports').slice(0, 1);
  }

  async #runBatch(shares: readonly Share[], place: keyof Running): Promise<void> {
    const batch = shares.flatMap(({ items }) => items);
    try {
      const commands = batch.map((item) => item.command);
      const numbers = shares.map(({ lane }) => lane.number);
      const outcomes = await this.#options.apply(place === 'lock' ? (numbers[0] as number) : numbers, commands);
      await this.#options.done(commands, outcomes);
      for (const { lane } of shares) {
        lane.stuckUntil = null;
        lane.contendedSince = null;
      }
      batch.forEach((item, index) => item.resolve(outcomes[index] as Outcome));
    } catch (error) {
      for (const share of shares) this.#fail(share, error as Error);
    }
  }

  #fail({ lane, items, fromImport }: Share, error: Error): void {
    if (error instanceof LanesBusyError) {
      lane.contendedSince = error.busy.includes(lane.number) ? this.#options.now() : null;
      (fromImport ? lane.imported : lane.items).unshift(...items);
      return;
    }
    lane.contendedSince = null;
    if (error instanceof LaneHeldError) lane.stuckUntil = this.#options.now() + STUCK_MS;
    const behind = fromImport ? [] : lane.items.splice(0);
    for (const item of [...items, ...behind]) item.reject(error);
  }
}
