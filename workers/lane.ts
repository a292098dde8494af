import type { Command } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';

/** Most commands that one transaction applies; of those that nobody waits for fewer, and still fewer while calls come. */
export const BATCH_MAX = 200;
const SLICE_MAX = 100;
const SLICE_MAX_AMID_CALLS = 40;

/** So many batches that somebody waits for overtake one of an import; then it has its turn, so that it gets on. */
const OVERTAKING_MAX = 8;

/** A command, and who waits for its outcome. */
export interface Item {
  command: Command;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** What waits in a lane of this process, and what is known of the lane. */
export interface Lane {
  number: number;
  items: Item[];
  /** Of imports, when no items wait. */
  imported: Item[];
  /** Batches since one of an import. */
  overtaken: number;
  /** Waits for its turn, or runs. */
  busy: boolean;
  /**
   * Since when another process has had it: it has its next batch for itself, which waits for the lock. Null: it could be had
   * at once.
   */
  contendedSince: number | null;
  /** Somebody holds it and does not let go; not tried before this instant. Null: nothing is known against it. */
  stuckUntil: number | null;
}

/** How many batches run. */
export interface Running {
  calls: number;
  imports: number;
  lock: number;
}

/** What a batch takes of a lane. */
export interface Share {
  lane: Lane;
  items: Item[];
  fromImport: boolean;
}

export function emptyLane(number: number): Lane {
  return { number, items: [], imported: [], overtaken: 0, busy: false, contendedSince: null, stuckUntil: null };
}

/** The next commands of a lane for a batch; lanes that share one may together be somewhat above what it holds. */
export function take(lane: Lane, amidCalls: boolean): Share {
  const fromImport = isForImport(lane);
  lane.overtaken = fromImport || lane.imported.length === 0 ? 0 : lane.overtaken + 1;
  const slice = amidCalls ? SLICE_MAX_AMID_CALLS : SLICE_MAX;
  return { lane, fromImport, items: fromImport ? lane.imported.splice(0, slice) : lane.items.splice(0, BATCH_MAX) };
}

function isForImport(lane: Lane): boolean {
  return lane.items.length === 0 || mustImport(lane);
}

/** Its import has been overtaken often enough. */
function mustImport({ imported, overtaken }: Lane): boolean {
  return imported.length > 0 && overtaken >= OVERTAKING_MAX;
}

/** What a batch of the lane counts as. One that waits for a lock takes no place from others, and shares with none. */
export function placeOf(lane: Lane): keyof Running {
  if (lane.contendedSince !== null || lane.stuckUntil !== null) return 'lock';
  return isForImport(lane) ? 'imports' : 'calls';
}

export function isEmpty({ items, imported }: Lane): boolean {
  return items.length === 0 && imported.length === 0;
}
