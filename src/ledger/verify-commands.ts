import type { Queryable } from '../db/pool.ts';
import type { Programs } from '../db/programs.ts';
import { type DecisionRecord, readRewards } from '../rules/record.ts';
import { fromSettlementRecord } from '../rules/settlement-record.ts';
import type { Completion, Program } from '../rules/types.ts';
import {
  completionsIn,
  creationOf,
  rewardsIn,
  type StoredCompletion,
  type StoredSettlement,
  settlementsIn,
} from './chains.ts';
import { commandDecision, completeAgain, createAgain, settleAgain } from './decide-again.ts';
import { canonical } from './hash.ts';
import type { ExpectedEntries } from './verify-entries.ts';

interface User {
  id: string;
  project_id: string;
}

const ANOTHER = 'its program and inputs give another decision';

/** What a user has completed, for holding the events against it. */
export class Completions {
  readonly #all: readonly StoredCompletion[];
  /** Ids of the events that completed something. */
  readonly #events = new Set<string>();

  constructor(all: readonly StoredCompletion[]) {
    this.#all = all;
  }

  /** Ids of the achievements that were completed before the event of this number. */
  completedBefore(seq: bigint): ReadonlySet<string> {
    return new Set(this.#all.filter(({ afterSeq }) => afterSeq < seq).map(({ achievementId }) => achievementId));
  }

  /** What is wrong with the rows of an event that completed these. */
  completionsFault(eventId: string, completed: readonly Completion[]): string | undefined {
    const rows = this.#all.filter(({ byEvent, id }) => byEvent && id === eventId);
    if (rows.length > 0) this.#events.add(eventId);
    const name = ({ achievementId, backdated }: Completion) => `${achievementId} ${backdated}`;
    const [is, must] = [rows, completed].map((list) => list.map(name).sort().join());
    return is === must
      ? undefined
      : `the rows say that it completed ${is || 'nothing'}; it decided ${must || 'nothing'}`;
  }

  /** What is left after all events: a completion by none of them. */
  strayFault(userId: string): { row: string; fault: string } | undefined {
    const stray = this.#all.find(({ byEvent, id }) => byEvent && !this.#events.has(id));
    if (stray === undefined) return undefined;
    return { row: `completions (${userId}, ${stray.achievementId})`, fault: `there is no event ${stray.id}` };
  }
}

/** Decides again all that was decided for a user without an event; the fault, or what events are held against. */
export async function commandsFault(
  db: Queryable,
  programs: Programs,
  user: User,
  expected: ExpectedEntries,
): Promise<{ row: string; fault: string } | Completions> {
  const program = async (version: number): Promise<Program> =>
    (await programs.get(db, user.project_id, version)).program;
  const creation = await creationOf(db, user.id);
  if (creation !== undefined) {
    const again = createAgain(creation, await program(creation.programVersion));
    if (canonical(again) !== canonical(creation.decision)) {
      return { row: `user_commands (${user.id}, ${creation.id})`, fault: ANOTHER };
    }
    expected.take(commandDecision(creation), { eventId: null, commandId: creation.id });
  }
  const completions = await completionsIn(db, user.id);
  for (const completion of completions) {
    if (completion.decision === null) continue;
    const decided = completion as StoredCompletion & { decision: DecisionRecord };
    const again = completeAgain(decided, await program(completion.programVersion));
    if (canonical(again) !== canonical(completion.decision)) {
      return { row: `completions (${user.id}, ${completion.achievementId})`, fault: ANOTHER };
    }
    expected.take(commandDecision(decided), { eventId: null, commandId: completion.id });
  }
  for (const { id, decision } of await rewardsIn(db, user.id)) {
    expected.take(readRewards(decision), { eventId: null, commandId: id });
  }
  const settled = new Map<string, number>();
  for (const settlement of await settlementsIn(db, user.id)) {
    const fault = await settlementFault(settlement, settled, program);
    if (fault !== undefined) return { row: `settlements (${user.id}, ${settlement.id})`, fault };
    const { runs, rewards } = fromSettlementRecord(settlement.record);
    expected.take({ fired: runs, rewards }, { eventId: null, commandId: settlement.id });
  }
  return (await clocksFault(db, user.id, settled)) ?? new Completions(completions);
}

/** Clocks never stand before what settlements have settled: else it would be given again. */
async function clocksFault(
  db: Queryable,
  userId: string,
  settled: ReadonlyMap<string, number>,
): Promise<{ row: string; fault: string } | undefined> {
  if (settled.size === 0) return undefined;
  const { rows } = await db.query('select system_id, settled_at from clocks where user_id = $1', [userId]);
  const clocks = new Map(rows.map((row): [string, Date] => [row.system_id, row.settled_at]));
  for (const [systemId, until] of settled) {
    const at = clocks.get(systemId);
    if (at !== undefined && at.getTime() >= until) continue;
    const is = at === undefined ? 'missing' : `settled until ${at.toISOString()}`;
    const fault = `it is ${is}; settlements have settled it until ${new Date(until).toISOString()}`;
    return { row: `clocks (${userId}, ${systemId})`, fault };
  }
  return undefined;
}

/** `settled`: by system, until when the settlements before have settled it. */
async function settlementFault(
  { record }: StoredSettlement,
  settled: Map<string, number>,
  program: (version: number) => Promise<Program>,
): Promise<string | undefined> {
  for (const [systemId, [from]] of Object.entries(record.clocks)) {
    const before = settled.get(systemId) ?? Number.NEGATIVE_INFINITY;
    if (from < before) return `it settles system ${systemId} from ${from}, which was settled until ${before}`;
    settled.set(systemId, record.until);
  }
  const programs = new Map<number, Program>();
  for (const [version] of record.eras) programs.set(version, await program(version));
  const again = settleAgain(record, programs);
  return again !== null && canonical(again) === canonical(record) ? undefined : ANOTHER;
}
