import {
  type ClaimedPart,
  claimParts,
  failAbandoned,
  finishImports,
  leavePart,
  nextRows,
  type RowToApply,
  recordOutcomes,
} from '../src/commands/imports/apply-rows.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import type { Context } from '../src/context.ts';
import type { Lanes } from './lanes.ts';

const INTERVAL_MS = 250;
/** Parts that one process works on at once. */
const PARTS_MAX = 16;
/** Rows of a part that are in memory at once, twice: those that are applied and the next ones. */
const ROWS_MAX = 500;
/** Most rows that go to a lane at once: what comes meanwhile waits for no more. */
const SLICE_MAX = 100;
/** An import that was not sent to its end is waited for so long. */
const ABANDONED_MS = 24 * 3_600_000;

export interface Importer {
  close(): Promise<void>;
}

/**
 * Applies the stored rows of imports. They are not put into the queue: the rows are what is to be done, and PostgreSQL keeps
 * them. Each part has one slice in its lane at a time, so rows of one user are applied in their order.
 */
export function startImporter(context: Context, lanes: Lanes): Importer {
  const { pool, now, log, address } = context;
  const working = new Set<Promise<void>>();
  let looking: Promise<void> | undefined;
  let closed = false;
  const timer = setInterval(look, INTERVAL_MS);

  function look(): void {
    looking ??= claim()
      .catch((err) => log.warn({ err }, 'imports not looked at'))
      .finally(() => {
        looking = undefined;
      });
  }

  async function claim(): Promise<void> {
    await failAbandoned(pool, now() - ABANDONED_MS, now());
    if (working.size < PARTS_MAX) {
      for (const part of await claimParts(pool, address, PARTS_MAX - working.size)) {
        const work: Promise<void> = applyPart(part)
          .then(() => true)
          .catch((err) => log.warn({ err, import: part.importId }, 'rows of an import not applied; they come again'))
          .then((done) => {
            working.delete(work);
            if (done && !closed) look();
          });
        working.add(work);
      }
    }
    await finishImports(pool, now());
  }

  async function applyPart(part: ClaimedPart): Promise<void> {
    try {
      let block = await nextRows(pool, part, part.throughLine, ROWS_MAX);
      while (block.length > 0 && !closed) {
        const last = (block.at(-1) as RowToApply).line;
        const next = nextRows(pool, part, last, ROWS_MAX);
        next.catch(() => {});
        const outcomes = await applyRows(block);
        if (outcomes === undefined || !(await recordOutcomes(pool, part, address, block, outcomes))) return;
        part.throughLine = last;
        block = await next;
      }
    } finally {
      await leavePart(pool, part, address);
    }
  }

  /** Undefined: it is to stop, and the rest of the rows come again, those that are applied known by then. */
  async function applyRows(rows: readonly RowToApply[]): Promise<Outcome[] | undefined> {
    const outcomes: Outcome[] = [];
    for (let start = 0; start < rows.length; start += SLICE_MAX) {
      if (closed) return undefined;
      const slice = rows.slice(start, start + SLICE_MAX).map(({ command }) => command);
      outcomes.push(...(await lanes.run(slice, 'import')));
    }
    return outcomes;
  }

  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await looking;
      await Promise.all(working);
    },
  };
}
