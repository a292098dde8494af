import type { Client } from '../db/pool.ts';
import { insertUsers } from '../ledger/load.ts';
import { noPostings, type Postings } from '../ledger/post.ts';
import type { UserRow } from '../ledger/rows.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Instant, UserBoost } from '../rules/types.ts';
import {
  type Command,
  type CompleteCommand,
  distinctUsers,
  type EventCommand,
  type ImportCommand,
  identityOf,
  isTransaction,
  type UserCommand,
} from './command.ts';
import { decideComplete } from './decide-complete.ts';
import { decideEvent } from './decide-event.ts';
import { decideImport } from './decide-import.ts';
import { decideTransaction } from './decide-transaction.ts';
import { decideUser } from './decide-user.ts';
import type { Outcome } from './outcome.ts';
import type { Prepared } from './prepare.ts';
import { clockRows, settleUser, startClocks } from './settle-user.ts';
import { collect, type State, userKey } from './state.ts';
import { loseRuns } from './streaks.ts';
import { NOTHING, touchedBy, withNothing } from './touched.ts';

export interface DecidedBatch {
  outcomes: Map<string, Outcome>;
  /** Commands that repeat one that this very batch applies; answered after the commit. */
  repeats: Command[];
  postings: Postings;
}

/** Makes rows of users who have none, then decides the commands. */
export async function decideBatch(client: Client, prepared: Prepared, now: Instant): Promise<DecidedBatch> {
  const unknown = distinctUsers(prepared.fresh).filter(
    ({ projectId, externalId }) => !prepared.users.has(`${projectId} ${externalId}`),
  );
  return decideAll(stateOf(prepared, await insertUsers(client, unknown, now), now), prepared);
}

/** Decides the commands one after the other, on memory alone. */
export function decideAll(state: State, prepared: Prepared): DecidedBatch {
  const outcomes = new Map<string, Outcome>();
  const repeats: Command[] = [];
  const attempted = new Set<string>();
  const applied = new Set<string>();
  for (const command of prepared.fresh) {
    const identity = identityOf(command);
    if (attempted.has(command.id) || applied.has(identity)) {
      repeats.push(command);
      continue;
    }
    attempted.add(command.id);
    const outcome = decideOne(state, prepared, command);
    if (outcome.status === 'applied') applied.add(identity);
    outcomes.set(command.id, outcome);
  }
  collect(state);
  state.postings.clocks = clockRows(state, prepared);
  return { outcomes, repeats, postings: state.postings };
}

/** What is due by then is settled first, and stays so whatever becomes of the command. */
function decideOne(state: State, prepared: Prepared, command: Command): Outcome {
  const index = programOf(prepared, command);
  const user = userKey(command);
  settleUser(state, prepared, index, command);
  if (command.kind === 'settle') {
    loseRuns(state, index, state.users.get(user) as UserRow, command.receivedAt);
    return { status: 'applied', kind: 'settlement' };
  }
  if (isTransaction(command)) return decideTransaction(state, index, command);
  const boosts = (prepared.boosts.get(user) ?? []).filter(({ lived }) => lived.until === null);
  const known = state.users.get(user)?.createdAt;
  const outcome = decideKnown(state, index, command, boosts);
  if (known === null && outcome.status === 'applied') startClocks(state, prepared, index, command);
  return outcome;
}

function decideKnown(
  state: State,
  index: ProgramIndex,
  command: EventCommand | CompleteCommand | UserCommand | ImportCommand,
  boosts: readonly UserBoost[],
): Outcome {
  switch (command.kind) {
    case 'event':
      return decideEvent(state, index, command, boosts);
    case 'complete':
      return decideComplete(state, index, command, boosts);
    case 'user':
      return decideUser(state, index, command, boosts);
    case 'import':
      return decideImport(state, index, command);
  }
}

/** The state before the first command. Users who had no row have nothing yet. */
export function stateOf(prepared: Prepared, made: readonly UserRow[], now: Instant): State {
  const begun = new Map(made.map((row) => [`${row.projectId} ${row.externalId}`, row]));
  const nothing = begun.size === 0 ? NOTHING : withNothing(touchedBy(prepared.fresh, begun, prepared), NOTHING);
  return {
    now,
    users: new Map([...prepared.users, ...begun]),
    totals: new Map([...prepared.totals, ...nothing.totals]),
    triggerCounters: new Map([...prepared.triggerCounters, ...nothing.triggerCounters]),
    accounts: new Map([...prepared.accounts, ...nothing.accounts]),
    usage: prepared.usage,
    clocks: new Map([...prepared.clocks].map(([user, { clocks }]) => [user, clocks])),
    runs: prepared.runs,
    open: prepared.open,
    completed: prepared.completed,
    rewarded: prepared.rewarded,
    announced: prepared.announced,
    changed: { users: new Set(), profiles: new Set(), totals: new Map(), usage: new Map(), runs: new Map() },
    postings: noPostings(),
  };
}

function programOf(prepared: Prepared, command: Command): ProgramIndex {
  const index = prepared.programs.get(command.projectId);
  if (index === undefined) throw new Error(`project ${command.projectId} is missing`);
  return index;
}
