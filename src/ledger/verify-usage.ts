import type { Queryable } from '../db/pool.ts';
import type { Fired } from '../rules/decision.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { countUsage, usageKey } from '../rules/quota.ts';
import type { Instant, Usage } from '../rules/types.ts';

/** Recounts what triggers with limits have paid a user, event by event. */
export class UsageCount {
  readonly #usage = new Map<string, Usage>();

  /** Takes the awards of the next event; gives what is wrong with what they say was paid before them. */
  take(fired: readonly Fired[], index: ProgramIndex, at: Instant): string | undefined {
    for (const { triggerId, held, amount } of fired) {
      const trigger = index.triggerById.get(triggerId);
      if (held === undefined || trigger?.type !== 'metric') continue;
      for (const [slot, told] of held.usage) {
        const counted = this.#usage.get(usageKey(triggerId, slot));
        if (text(told) !== text(counted)) {
          return `in slot ${slot} of trigger ${triggerId} it found ${text(told)}; the events before give ${text(counted)}`;
        }
      }
      if (amount === 0n) continue;
      for (const [slot, paid] of countUsage(trigger, held, amount, at))
        this.#usage.set(usageKey(triggerId, slot), paid);
    }
    return undefined;
  }

  /** What of the stored rows of the user is not what was counted: the row, and in what way. */
  async fault(db: Queryable, userId: string): Promise<{ row: string; fault: string } | undefined> {
    const { rows } = await db.query(
      'select trigger_id, slot, awards, points, at from trigger_usage where user_id = $1 order by trigger_id, slot',
      [userId],
    );
    const stored = new Map<string, Usage>(
      rows.map((row) => [
        usageKey(row.trigger_id, row.slot),
        { awards: BigInt(row.awards), points: BigInt(row.points), at: row.at.getTime() },
      ]),
    );
    for (const key of new Set([...stored.keys(), ...this.#usage.keys()])) {
      const [is, must] = [text(stored.get(key)), text(this.#usage.get(key))];
      if (is !== must) return { row: `trigger_usage (${userId}, ${key})`, fault: `is ${is}; its events give ${must}` };
    }
    return undefined;
  }
}

function text(usage: Usage | undefined): string {
  if (usage === undefined || usage.awards === 0n) return 'nothing';
  return `${usage.awards} awards of ${usage.points} points, the last at ${new Date(usage.at ?? 0).toISOString()}`;
}
