import type { Queryable } from '../db/pool.ts';
import type { Fired, Reward } from '../rules/decision.ts';
import { reachedElsewhere } from '../rules/import.ts';
import { levelName } from '../rules/reward.ts';
import type { Program } from '../rules/types.ts';
import type { EntryRow, ImportRow } from './rows.ts';

interface Expected {
  kind: 'award' | 'reward' | 'import';
  amount: bigint;
  balanceAfter: bigint;
  eventId: string | null;
  commandId: string | null;
  triggerId: string | null;
  earned?: bigint;
}

/** Awards and rewards that were decided, and what was imported: each must be shown by an entry, and no entry another one. */
export class ExpectedEntries {
  /** By system and version. */
  readonly #entries = new Map<string, Expected>();
  readonly #levels = new Set<string>();

  take(
    { fired = [], rewards }: { fired?: readonly Fired[]; rewards: readonly Reward[] },
    cause: { eventId: string | null; commandId: string | null },
  ): void {
    for (const { version, systemId, triggerId, amount, balanceAfter } of fired) {
      if (version === null) continue;
      this.#entries.set(`${systemId} ${version}`, { kind: 'award', amount, balanceAfter, triggerId, ...cause });
    }
    for (const { version, systemId, levelKey, targetId, amount, balanceAfter } of rewards) {
      this.#levels.add(levelName(systemId, levelKey));
      if (version === null) continue;
      this.#entries.set(`${targetId} ${version}`, { kind: 'reward', amount, balanceAfter, triggerId: null, ...cause });
    }
  }

  /** What a user came with, and the levels that were reached elsewhere, by the program in force then. */
  takeImport({ id: commandId, content }: ImportRow, { systems }: Program): void {
    for (const { systemId, balance, earned } of content.balances) {
      const amount = BigInt(balance);
      const cause = { eventId: null, commandId, triggerId: null };
      const entry = { kind: 'import', amount, balanceAfter: amount, earned: BigInt(earned), ...cause } as const;
      this.#entries.set(`${systemId} 1`, entry);
      const system = systems.find(({ id }) => id === systemId);
      if (system === undefined) continue;
      const account = { balance: amount, earned: entry.earned, version: 1n };
      for (const key of reachedElsewhere(system, account)) this.#levels.add(levelName(systemId, key));
    }
  }

  /** What is wrong with an entry that was decided, or was not. */
  fault(entry: EntryRow): string | undefined {
    if (entry.kind === 'spend' || entry.kind === 'adjust') return undefined;
    const key = `${entry.systemId} ${entry.version}`;
    const decided = this.#entries.get(key);
    this.#entries.delete(key);
    if (decided === undefined) return entry.kind === 'import' ? 'its user did not come with it' : 'no event decided it';
    const asDecided = (Object.keys(decided) as (keyof Expected)[]).every((field) => decided[field] === entry[field]);
    return asDecided ? undefined : 'its event decided another';
  }

  /** The first entry that was decided and did not come. */
  missing(userId: string): { row: string; fault: string } | undefined {
    const [missing] = this.#entries.keys();
    if (missing === undefined) return undefined;
    const row = `entries (${userId}, ${missing.replace(' ', ', ')})`;
    return { row, fault: 'its event decided it, but it is missing' };
  }

  /** Levels that have given are those that are said to have. */
  async levelsFault(db: Queryable, userId: string): Promise<{ row: string; fault: string } | undefined> {
    const { rows } = await db.query('select system_id, level_key from level_rewards where user_id = $1', [userId]);
    const stored = new Set(rows.map((row) => levelName(row.system_id, row.level_key)));
    for (const name of new Set([...stored, ...this.#levels])) {
      const row = `level_rewards (${userId}, ${name.replace(' ', ', ')})`;
      if (!stored.has(name)) return { row, fault: 'the level has given, but the row is missing' };
      if (!this.#levels.has(name)) return { row, fault: 'the level has given nothing' };
    }
    return undefined;
  }
}
