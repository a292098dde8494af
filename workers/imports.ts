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
import { type Verdict, verdictOf } from '../src/commands/imports/verdict.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import { Rehearsal } from '../src/commands/rehearse.ts';
import type { Context } from '../src/context.ts';
import type { Lanes } from './lanes.ts';

const INTERVAL_MS = 250;
/** Parts that one process has in hand at once. */
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
  const working = new Map<string, Promise<void>>();
  let rehearsing: Promise<unknown> = Promise.resolve();
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
        const name = `${part.importId} ${part.part}`;
        if (!working.has(name)) working.set(name, workOn(name, part));
      }
    }
    await finishImports(pool, now());
  }

  async function workOn(name: string, part: ClaimedPart): Promise<void> {
    let failed = false;
    try {
      await (part.dryRun ? inTurn(() => rehearsePart(part)) : applyPart(part));
      await leavePart(pool, part, address);
    } catch (err) {
      failed = true;
      log.warn({ err, import: part.importId }, 'rows of an import not applied; they come again');
    }
    working.delete(name);
    if (!failed && !closed) look();
  }

  async function applyPart(part: ClaimedPart): Promise<void> {
    let rows = await nextRows(pool, part, part.throughPlace, ROWS_MAX);
    while (rows.length > 0 && !closed) {
      const next = nextRows(pool, part, (rows.at(-1) as RowToApply).place, ROWS_MAX);
      next.catch(() => {});
      const outcomes = await applyRows(rows);
      if (outcomes === undefined) return;
      const verdicts = rows.map(({ command }, index) => verdictOf(command, outcomes[index] as Outcome));
      if (!(await record(part, rows, verdicts))) return;
      rows = await next;
    }
  }

  /** Undefined: it is to stop, and the rows come again, those that are applied known by then. */
  async function applyRows(rows: readonly RowToApply[]): Promise<Outcome[] | undefined> {
    const outcomes: Outcome[] = [];
    for (let start = 0; start < rows.length; start += SLICE_MAX) {
      if (closed) return undefined;
      const slice = rows.slice(start, start + SLICE_MAX).map(({ command }) => command);
      outcomes.push(...(await lanes.run(slice, 'import')));
    }
    return outcomes;
  }

  /** One part at a time in this process: nobody waits for it, and the calls of this process read by the same connections. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = rehearsing.then(work);
    rehearsing = turn.catch(() => {});
    return turn;
  }

  /** Always from the first row, since what the rows before would have made of it is in memory only. */
  async function rehearsePart(part: ClaimedPart): Promise<void> {
    const rehearsal = new Rehearsal(pool, context.programs);
    let rows = await nextRows(pool, part, 0n, ROWS_MAX);
    while (rows.length > 0 && !closed) {
      const commands = rows.map(({ command }) => command);
      const verdicts = await rehearsal.decide(commands, now());
      const told = rows.findIndex(({ place }) => place > part.throughPlace);
      if (told !== -1 && !(await record(part, rows.slice(told), verdicts.slice(told)))) return;
      rows = await nextRows(pool, part, (rows.at(-1) as RowToApply).place, ROWS_MAX);
    }
  }

  async function record(
    part: ClaimedPart,
    rows: readonly RowToApply[],
    verdicts: readonly Verdict[],
  ): Promise<boolean> {
    const recorded = await recordOutcomes(pool, part, address, rows, verdicts);
    if (recorded) part.throughPlace = (rows.at(-1) as RowToApply).place;
    return recorded;
  }

  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await looking;
      await Promise.all(working.values());
    },
  };
}
