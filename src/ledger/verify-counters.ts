import type { Queryable } from '../db/pool.ts';
import { formatDecimal } from '../rules/decimal.ts';
import type { Applied } from '../rules/decision.ts';
import type { Counter } from '../rules/types.ts';
import { shortest } from './events.ts';

/** Follows the counters of a user's triggers with event filters, event by event. */
export class CounterChains {
  readonly #counters: Map<string, Counter>;

  /** Begins with these counters, by trigger. */
  constructor(counters: ReadonlyMap<string, Counter>) {
    this.#counters = new Map(counters);
  }

  /** Takes the decision of the next event; gives what is wrong with the counters that it began with. */
  take({ fired, notFired }: Pick<Applied, 'fired' | 'notFired'>): string | undefined {
    for (const { triggerId, counter } of [...fired, ...notFired]) {
      if (counter === undefined) continue;
      const kept = text(this.#counters.get(triggerId));
      if (text(counter.before) !== kept) {
        return `the counter of trigger ${triggerId} was ${text(counter.before)}, the event before left ${kept}`;
      }
      this.#counters.set(triggerId, counter.after);
    }
    return undefined;
  }

  /** What of the stored rows of the user is not what was followed: the row, and in what way. */
  async fault(db: Queryable, userId: string): Promise<{ row: string; fault: string } | undefined> {
    const { rows } = await db.query(
      'select trigger_id, total, high from trigger_counters where user_id = $1 order by trigger_id',
      [userId],
    );
    const stored = new Map<string, string>(
      rows.map((row) => [row.trigger_id, `${shortest(row.total)}, high ${shortest(row.high)}`]),
    );
    for (const key of new Set([...stored.keys(), ...this.#counters.keys()])) {
      const [is, must] = [stored.get(key) ?? NOTHING, text(this.#counters.get(key))];
      if (is !== must)
        return { row: `trigger_counters (${userId}, ${key})`, fault: `is ${is}; its events give ${must}` };
    }
    return undefined;
  }
}

const NOTHING = '0, high 0';

function text(counter: Counter | undefined): string {
  return counter === undefined ? NOTHING : `${formatDecimal(counter.total)}, high ${formatDecimal(counter.high)}`;
}
