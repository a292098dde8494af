import type { Queryable } from '../db/pool.ts';
import type { Programs } from '../db/programs.ts';
import { type Rows, storedRows, type UserName } from '../ledger/load.ts';
import type { UserRow } from '../ledger/rows.ts';
import type { KnownRun } from '../ledger/streaks.ts';
import type { Instant } from '../rules/types.ts';
import { decideAll, stateOf } from './batch.ts';
import { contentOf, digest, type EventCommand, identityOf } from './command.ts';
import { duplicateOf, refusedFor, type Verdict, verdictOf } from './imports/verdict.ts';
import { readOutcomes } from './outcome.ts';
import { prepare } from './prepare.ts';
import type { State } from './state.ts';

/**
 * Decides events as if they were applied, and applies none: by the same rules, on what is stored and on what the events
 * before would have made of it, which is kept in memory for their users. Nothing is locked, so it tells what would come of
 * the events if nothing else happened meanwhile.
 */
export class Rehearsal {
  readonly #db: Queryable;
  readonly #programs: Programs;
  /** Rows as they would be, of all users so far. */
  #state: State | undefined;
  /** By identity, the content of the events that would be applied. */
  readonly #applied = new Map<string, string>();
  #unknown = 0;

  constructor(db: Queryable, programs: Programs) {
    this.#db = db;
    this.#programs = programs;
  }

  /** What would become of the events, in their order, after all that were given before. */
  async decide(commands: readonly EventCommand[], now: Instant): Promise<Verdict[]> {
    const first = commands.filter((command) => !this.#applied.has(nameOf(command)));
    const prepared = await prepare(this.#db, this.#programs, first, this.#rows(now));
    const known = await readOutcomes(this.#db, prepared.known);
    const state = stateOf(prepared, [], now);
    this.#recall(state);
    const decided = decideAll(state, prepared).outcomes;
    this.#state = this.#kept(state);
    return commands.map((command) => {
      const outcome = known.get(command.id) ?? decided.get(command.id);
      if (outcome === undefined) return this.#repeat(command);
      if (decided.has(command.id) && outcome.status === 'applied') {
        this.#applied.set(nameOf(command), digest([contentOf(command)]));
      }
      return verdictOf(command, outcome);
    });
  }

  #repeat(command: EventCommand): Verdict {
    if (this.#applied.get(nameOf(command)) === digest([contentOf(command)])) return duplicateOf(null);
    return refusedFor('IDEMPOTENCY_KEY_REUSED', {});
  }

  /** Users who are not known get ids that nobody has. */
  #rows(now: Instant): Rows {
    const stored = storedRows(this.#db);
    return {
      ...stored,
      users: async (users) => {
        const rows = new Map((await stored.users(users)).map((row) => [`${row.projectId} ${row.externalId}`, row]));
        return users.map((user) => {
          const key = `${user.projectId} ${user.externalId}`;
          return this.#state?.users.get(key) ?? rows.get(key) ?? this.#newUser(user, now);
        });
      },
    };
  }

  #newUser(user: UserName, updatedAt: Instant): UserRow {
    this.#unknown += 1;
    const nothing = {
      name: null,
      email: null,
      zones: [],
      attributes: {},
      deviceTokens: null,
      seq: 0n,
      eventHash: null,
      createdAt: null,
    };
    return { ...user, ...nothing, id: `-${this.#unknown}`, updatedAt };
  }

  /** Puts what is kept in the place of what is stored. */
  #recall(state: State): void {
    const kept = this.#state;
    if (kept === undefined) return;
    for (const [key, row] of kept.totals) if (state.totals.has(key)) state.totals.set(key, row);
    for (const [key, row] of kept.triggerCounters)
      if (state.triggerCounters.has(key)) state.triggerCounters.set(key, row);
    for (const [key, row] of kept.accounts) if (state.accounts.has(key)) state.accounts.set(key, row);
    for (const user of state.users.keys()) {
      const clocks = kept.clocks.get(user);
      if (clocks !== undefined) state.clocks.set(user, clocks);
      const usage = kept.usage.get(user);
      if (usage !== undefined) state.usage.set(user, new Map([...(state.usage.get(user) ?? []), ...usage]));
      const runs = kept.runs.get(user);
      if (runs !== undefined) state.runs.set(user, withGrown(state.runs.get(user) ?? [], runs));
      for (const sets of ['completed', 'rewarded'] as const) {
        state[sets].set(user, new Set([...(state[sets].get(user) ?? []), ...(kept[sets].get(user) ?? [])]));
      }
    }
  }

  /** All that is kept, with what the last events have made of it; what would be posted is not. */
  #kept(state: State): State {
    const kept = this.#state ?? state;
    for (const part of [
      'users',
      'totals',
      'triggerCounters',
      'accounts',
      'usage',
      'clocks',
      'runs',
      'completed',
      'rewarded',
    ] as const) {
      for (const [key, row] of state[part] as Map<string, never>) kept[part].set(key, row);
    }
    return kept;
  }
}

function nameOf(command: EventCommand): string {
  return digest([identityOf(command)]);
}

/** Runs only grow: a stored one that lies within a kept one is part of it by then. */
function withGrown(stored: readonly KnownRun[], kept: readonly KnownRun[]): KnownRun[] {
  const rest = stored.filter(({ first, last }) => !kept.some((run) => run.first <= first && last <= run.last));
  return [...rest, ...kept];
}
