import type { Queryable } from '../db/pool.ts';
import { importedRun } from '../rules/import.ts';
import { extend } from '../rules/streak.ts';
import type { Frequency, Program, StreakChange, StreakRun } from '../rules/types.ts';
import type { ImportRow } from './rows.ts';

/** Puts a user's streaks together again, event by event. */
export class StreakCount {
  readonly #runs = new Map<Frequency, StreakRun[]>();

  /** Begins with the streak that the user came with. */
  begin({ content }: ImportRow, { streak }: Program): void {
    if (content.streak === null || streak === null) return;
    this.#runs.set(streak.frequency, [importedRun(content.streak, streak.frequency)]);
  }

  /** Takes what the next event did; gives what is wrong with the runs that it says it found. */
  take(change: StreakChange | null, { streak }: Program): string | undefined {
    if (change === null || streak === null) return undefined;
    const runs = this.#runs.get(streak.frequency) ?? [];
    const must = extend(runs, change.period);
    if (text(must.before) !== text(change.before)) {
      return `it found the runs ${text(change.before)}; the events before give ${text(must.before)}`;
    }
    this.#runs.set(streak.frequency, [...runs.filter((run) => !must.before.includes(run)), must.after]);
    return undefined;
  }

  /** What of the stored runs of the user is not what was counted. */
  async fault(db: Queryable, userId: string): Promise<{ row: string; fault: string } | undefined> {
    const { rows } = await db.query(
      'select frequency, first_period, last_period from streak_runs where user_id = $1 and last_period is not null',
      [userId],
    );
    const name = (frequency: string, { first, last }: StreakRun) => `${frequency}, ${first} to ${last}`;
    const stored = new Set(rows.map((row) => name(row.frequency, { first: row.first_period, last: row.last_period })));
    const counted = new Set([...this.#runs].flatMap(([frequency, runs]) => runs.map((run) => name(frequency, run))));
    for (const run of new Set([...stored, ...counted])) {
      const row = `streak_runs (${userId}, ${run})`;
      if (!stored.has(run)) return { row, fault: 'its events give it, but it is missing' };
      if (!counted.has(run)) return { row, fault: 'its events do not give it' };
    }
    return undefined;
  }
}

function text(runs: readonly StreakRun[]): string {
  return JSON.stringify(runs.map(({ first, last }) => [first, last]));
}
