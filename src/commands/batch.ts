import type { Client } from '../db/pool.ts';
import { loadAccounts, loadTotals, loadTriggerCounters, loadUsers, pairKey } from '../ledger/load.ts';
import type { Postings } from '../ledger/post.ts';
import type { UserRow } from '../ledger/rows.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Instant, Usage, UserBoost } from '../rules/types.ts';
import { type Command, distinctUsers, identityOf } from './command.ts';
import { decideEvent } from './decide-event.ts';
import { decideImport } from './decide-import.ts';
import { decideTransaction } from './decide-transaction.ts';
import { decideUser } from './decide-user.ts';
import type { Outcome } from './outcome.ts';
import { collect, type State, userKey } from './state.ts';

/** What a batch is decided with, read under the lane's lock before the transaction begins. */
export interface Prepared {
  fresh: readonly Command[];
  known: readonly Command[];
  /** By project id. */
  programs: Map<string, ProgramIndex>;
  /** By project and user. */
  boosts: Map<string, UserBoost[]>;
  /** By project and user, then by trigger and slot. */
  usage: Map<string, Map<string, Usage>>;
}

export interface DecidedBatch {
  outcomes: Map<string, Outcome>;
  /** Commands that repeat one that this very batch applies; answered after the commit. */
  repeats: Command[];
  postings: Postings;
}

/** Loads what the commands touch, then decides them one after the other on memory alone. */
export async function decideBatch(client: Client, prepared: Prepared, now: Instant): Promise<DecidedBatch> {
  const state = await load(client, prepared, now);
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
    const index = programOf(prepared, command);
    const outcome = decide(state, index, command, prepared.boosts.get(userKey(command)) ?? []);
    if (outcome.status === 'applied') applied.add(identity);
    outcomes.set(command.id, outcome);
  }
  collect(state);
  return { outcomes, repeats, postings: state.postings };
}

function decide(state: State, index: ProgramIndex, command: Command, boosts: readonly UserBoost[]): Outcome {
  switch (command.kind) {
    case 'event':
      return decideEvent(state, index, command, boosts);
    case 'user':
      return decideUser(state, index, command, boosts);
    case 'import':
      return decideImport(state, index, command);
    default:
      return decideTransaction(state, index, command);
  }
}

/** Locks and loads every row that the commands may change, users first. */
async function load(client: Client, prepared: Prepared, now: Instant): Promise<State> {
  const rows = await loadUsers(client, distinctUsers(prepared.fresh), now);
  const users = new Map(rows.map((row) => [`${row.projectId} ${row.externalId}`, row]));
  const totals = new Map<string, { userId: string; metricId: string }>();
  const counters = new Map<string, { userId: string; triggerId: string }>();
  const accounts = new Map<string, { userId: string; systemId: string }>();
  for (const command of prepared.fresh) {
    const userId = (users.get(userKey(command)) as UserRow).id;
    const account = (systemId: string) => accounts.set(pairKey(userId, systemId), { userId, systemId });
    const total = (metricId: string) => totals.set(pairKey(userId, metricId), { userId, metricId });
    const counter = (triggerId: string) => counters.set(pairKey(userId, triggerId), { userId, triggerId });
    if (command.kind === 'import') {
      for (const { systemId } of command.content.balances) account(systemId);
      for (const { metricId } of command.content.totals) total(metricId);
      for (const { triggerId } of command.content.counters) counter(triggerId);
      continue;
    }
    const index = programOf(prepared, command);
    if ((users.get(userKey(command)) as UserRow).createdAt === null) index.creationSystemIds.forEach(account);
    if (command.kind !== 'event') {
      if (command.kind !== 'user') account(command.systemId);
      continue;
    }
    total(command.metricId);
    const touched = index.byMetric.get(command.metricId);
    for (const systemId of touched?.systemIds ?? []) account(systemId);
    for (const triggerId of touched?.countingTriggerIds ?? []) counter(triggerId);
  }
  const [totalRows, counterRows, accountRows] = await Promise.all([
    loadTotals(client, [...totals.values()]),
    loadTriggerCounters(client, [...counters.values()]),
    loadAccounts(client, [...accounts.values()]),
  ]);
  return {
    now,
    users,
    totals: totalRows,
    triggerCounters: counterRows,
    accounts: accountRows,
    usage: prepared.usage,
    changed: { users: new Set(), totals: new Map(), usage: new Map() },
    postings: {
      events: [],
      entries: [],
      commands: [],
      userCommands: [],
      imports: [],
      refusals: [],
      announcements: [],
      levelChanges: [],
      zoneChanges: [],
      users: [],
      totals: [],
      triggerCounters: [],
      usage: [],
    },
  };
}

function programOf(prepared: Prepared, command: Command): ProgramIndex {
  const index = prepared.programs.get(command.projectId);
  if (index === undefined) throw new Error(`project ${command.projectId} is missing`);
  return index;
}
