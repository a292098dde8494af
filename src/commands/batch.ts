import type { Client } from '../db/pool.ts';
import {
  type AccountState,
  loadAccounts,
  loadTotals,
  loadTriggerCounters,
  loadUsers,
  pairKey,
} from '../ledger/load.ts';
import { noPostings, type Postings } from '../ledger/post.ts';
import type { UserRow } from '../ledger/rows.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Counter, Instant, UserBoost } from '../rules/types.ts';
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
import { clockRows, settleUser, startClocks, timedSystems } from './settle-user.ts';
import { collect, type State, userKey } from './state.ts';

export interface DecidedBatch {
  outcomes: Map<string, Outcome>;
  /** Commands that repeat one that this very batch applies; answered after the commit. */
  repeats: Command[];
  postings: Postings;
}

/** Where the rows come from that the commands may change; those that are not there yet are empty. */
export interface Rows {
  users(users: readonly { projectId: string; externalId: string }[]): Promise<UserRow[]>;
  totals(wanted: readonly { userId: string; metricId: string }[]): Promise<Map<string, Counter>>;
  triggerCounters(wanted: readonly { userId: string; triggerId: string }[]): Promise<Map<string, Counter>>;
  accounts(wanted: readonly { userId: string; systemId: string }[]): Promise<Map<string, AccountState>>;
}

/** Locks and loads what the commands touch, then decides them. */
export async function decideBatch(client: Client, prepared: Prepared, now: Instant): Promise<DecidedBatch> {
  const state = await loadState(
    {
      users: (users) => loadUsers(client, users, now),
      totals: (wanted) => loadTotals(client, wanted),
      triggerCounters: (wanted) => loadTriggerCounters(client, wanted),
      accounts: (wanted) => loadAccounts(client, wanted),
    },
    prepared,
    now,
  );
  return decideAll(state, prepared);
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
  if (command.kind === 'settle') return { status: 'applied', kind: 'settlement' };
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

/** Every row that the commands may change, users first. */
export async function loadState(rows: Rows, prepared: Prepared, now: Instant): Promise<State> {
  const found = await rows.users(distinctUsers(prepared.fresh));
  const users = new Map(found.map((row) => [`${row.projectId} ${row.externalId}`, row]));
  const totals = new Map<string, { userId: string; metricId: string }>();
  const counters = new Map<string, { userId: string; triggerId: string }>();
  const accounts = new Map<string, { userId: string; systemId: string }>();
  for (const command of prepared.fresh) {
    const userId = (users.get(userKey(command)) as UserRow).id;
    const take = (systemIds: Iterable<string>) => {
      for (const systemId of systemIds) accounts.set(pairKey(userId, systemId), { userId, systemId });
    };
    const total = (metricId: string) => totals.set(pairKey(userId, metricId), { userId, metricId });
    const counter = (triggerId: string) => counters.set(pairKey(userId, triggerId), { userId, triggerId });
    const index = programOf(prepared, command);
    const eras = prepared.eras.get(command.projectId);
    if (eras !== undefined) take(index.withRewards(timedSystems(eras, index)));
    if (command.kind === 'import') {
      take(command.content.balances.map(({ systemId }) => systemId));
      for (const { metricId } of command.content.totals) total(metricId);
      for (const { triggerId } of command.content.counters) counter(triggerId);
      continue;
    }
    if ((users.get(userKey(command)) as UserRow).createdAt === null) take(index.creationSystemIds);
    if (command.kind === 'complete') take(index.systemsOfAchievement(command.achievementId));
    if (isTransaction(command)) take(index.withRewards([command.systemId]));
    if (command.kind !== 'event') continue;
    total(command.metricId);
    const touched = index.touchedBy(command.metricId);
    take(touched.systemIds);
    touched.countingTriggerIds.forEach(counter);
  }
  const [totalRows, counterRows, accountRows] = await Promise.all([
    rows.totals([...totals.values()]),
    rows.triggerCounters([...counters.values()]),
    rows.accounts([...accounts.values()]),
  ]);
  return {
    now,
    users,
    totals: totalRows,
    triggerCounters: counterRows,
    accounts: accountRows,
    usage: prepared.usage,
    clocks: new Map([...prepared.clocks].map(([user, { clocks }]) => [user, clocks])),
    runs: prepared.runs,
    completed: prepared.completed,
    rewarded: prepared.rewarded,
    announced: prepared.announced,
    changed: { users: new Set(), totals: new Map(), usage: new Map(), runs: new Map() },
    postings: noPostings(),
  };
}

function programOf(prepared: Prepared, command: Command): ProgramIndex {
  const index = prepared.programs.get(command.projectId);
  if (index === undefined) throw new Error(`project ${command.projectId} is missing`);
  return index;
}
