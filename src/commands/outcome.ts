import type { Queryable } from '../db/pool.ts';
import { type BalanceNow, findAccounts } from '../ledger/balance.ts';
import {
  type FoundTransaction,
  findPoisoned,
  findRefusals,
  findTransactions,
  findUserCommands,
} from '../ledger/commands.ts';
import { type FoundCompletion, findCompletions } from '../ledger/completions.ts';
import { type FoundEvent, findEvents } from '../ledger/events.ts';
import { canonical } from '../ledger/hash.ts';
import { type FoundImport, findImports } from '../ledger/imports.ts';
import type { ImportContent } from '../ledger/rows.ts';
import type { RefusalCode } from '../rules/decision.ts';
import type { DecisionRecord } from '../rules/record.ts';
import type { Instant } from '../rules/types.ts';
import {
  type Command,
  type CompleteCommand,
  contentOf,
  type EventCommand,
  eventContent,
  type ImportCommand,
  isTransaction,
  type TransactionCommand,
} from './command.ts';

/** Balances at the time of answering, by system id; a repeat is answered with them. */
export type Now = Readonly<Record<string, BalanceNow>>;

export interface EventOutcome {
  status: 'applied' | 'replayed';
  kind: 'event';
  /** Of the attempt that was applied. */
  eventId: string;
  total: string;
  occurredAt: Instant;
  programVersion: number;
  decision: DecisionRecord;
  now?: Now;
}

export interface TransactionOutcome {
  status: 'applied' | 'replayed';
  kind: 'transaction';
  systemId: string;
  programVersion: number;
  entry: FoundTransaction['entry'];
  levelBefore: string | null;
  levelAfter: string | null;
  now?: Now;
}

export interface UserOutcome {
  status: 'applied';
  kind: 'user';
  /** Whether the user became known by it. */
  created: boolean;
}

export interface CompletionOutcome {
  status: 'applied' | 'replayed';
  kind: 'completion';
  /** Of the attempt that was applied. */
  completionId: string;
  achievementId: string;
  at: Instant;
  programVersion: number;
  decision: DecisionRecord;
  now?: Now;
}

/** What was due by the clock is settled. */
export interface SettlementOutcome {
  status: 'applied';
  kind: 'settlement';
}

export interface ImportOutcome {
  status: 'applied' | 'replayed';
  kind: 'import';
}

export interface RefusedOutcome {
  status: 'refused';
  code: RefusalCode;
  detail: Readonly<Record<string, string>>;
}

/** Set aside: applying it fails for a reason that is not the caller's. */
export interface FailedOutcome {
  status: 'failed';
}

/** What became of a command; plain JSON, since it travels between processes. */
export type Outcome =
  | EventOutcome
  | TransactionOutcome
  | UserOutcome
  | CompletionOutcome
  | SettlementOutcome
  | ImportOutcome
  | RefusedOutcome
  | FailedOutcome;

/** The committed outcomes of those commands that have one, by attempt id. */
export async function readOutcomes(db: Queryable, commands: readonly Command[]): Promise<Map<string, Outcome>> {
  const events = commands.filter((command) => command.kind === 'event');
  const transactions = commands.filter(isTransaction);
  const users = commands.filter((command) => command.kind === 'user');
  const completions = commands.filter((command) => command.kind === 'complete');
  const imports = commands.filter((command) => command.kind === 'import');
  const [foundEvents, foundTransactions, foundUsers, foundCompletions, foundImports, refusals, poisoned] =
    await Promise.all([
      findEvents(db, events),
      findTransactions(db, transactions),
      findUserCommands(db, users),
      findCompletions(db, completions),
      findImports(db, imports),
      findRefusals(db, commands),
      findPoisoned(db, commands),
    ]);
  const accounts = await findAccounts(db, [
    ...repeatedAccounts(events, foundEvents, transactions, foundTransactions),
    ...completedAccounts(completions, foundCompletions),
  ]);
  const outcomes = new Map<string, Outcome>();
  for (const id of poisoned) outcomes.set(id, { status: 'failed' });
  for (const event of events) {
    const found = foundEvents.get(event.id);
    if (found !== undefined) outcomes.set(event.id, eventOutcome(event, found, accounts));
  }
  for (const transaction of transactions) {
    const found = foundTransactions.get(transaction.id);
    if (found !== undefined) outcomes.set(transaction.id, transactionOutcome(transaction, found, accounts));
  }
  for (const completion of completions) {
    const found = foundCompletions.get(completion.id);
    if (found !== undefined) outcomes.set(completion.id, completionOutcome(completion, found, accounts));
  }
  for (const command of imports) {
    const found = foundImports.get(command.id);
    if (found !== undefined) outcomes.set(command.id, importOutcome(command, found));
  }
  for (const command of commands) {
    if (command.kind === 'settle') outcomes.set(command.id, { status: 'applied', kind: 'settlement' });
  }
  for (const [id, created] of foundUsers) outcomes.set(id, { status: 'applied', kind: 'user', created });
  for (const [id, refusal] of refusals) outcomes.set(id, { status: 'refused', ...refusal });
  return outcomes;
}

function repeatedAccounts(
  events: EventCommand[],
  foundEvents: Map<string, FoundEvent>,
  transactions: TransactionCommand[],
  foundTransactions: Map<string, FoundTransaction>,
): { userId: string; systemId: string }[] {
  const wanted: { userId: string; systemId: string }[] = [];
  for (const event of events) {
    const found = foundEvents.get(event.id);
    if (found === undefined || found.id === event.id) continue;
    for (const { system } of found.decision.systems ?? []) wanted.push({ userId: found.userId, systemId: system });
  }
  for (const { id } of transactions) {
    const found = foundTransactions.get(id);
    if (found !== undefined && found.id !== id) wanted.push(found);
  }
  return wanted;
}

function eventOutcome(
  command: EventCommand,
  found: FoundEvent,
  accounts: Map<string, Map<string, BalanceNow>>,
): Outcome {
  const first = found.id === command.id;
  if (!first && eventContent(found.value, found.attributes, found.sentAt) !== contentOf(command)) {
    return keyReused({ eventId: found.id, value: found.value });
  }
  return {
    status: first ? 'applied' : 'replayed',
    kind: 'event',
    eventId: found.id,
    total: first ? found.totalAfter : found.totalNow,
    occurredAt: found.occurredAt,
    programVersion: found.programVersion,
    decision: found.decision,
    ...(!first && { now: Object.fromEntries(accounts.get(found.userId) ?? []) }),
  };
}

function transactionOutcome(
  command: TransactionCommand,
  found: FoundTransaction,
  accounts: Map<string, Map<string, BalanceNow>>,
): Outcome {
  const first = found.id === command.id;
  if (!first && found.amount !== command.amount) return keyReused({ amount: found.amount });
  return {
    status: first ? 'applied' : 'replayed',
    kind: 'transaction',
    systemId: found.systemId,
    programVersion: found.programVersion,
    entry: found.entry,
    levelBefore: found.levelBefore,
    levelAfter: found.levelAfter,
    ...(!first && { now: Object.fromEntries(accounts.get(found.userId) ?? []) }),
  };
}

function completedAccounts(completions: readonly CompleteCommand[], found: Map<string, FoundCompletion>) {
  return completions.flatMap(({ id }) => {
    const completion = found.get(id);
    if (completion === undefined || completion.id === id) return [];
    return (completion.decision?.systems ?? []).map(({ system }) => ({
      userId: completion.userId,
      systemId: system,
    }));
  });
}

function completionOutcome(
  command: CompleteCommand,
  found: FoundCompletion,
  accounts: Map<string, Map<string, BalanceNow>>,
): CompletionOutcome {
  const first = found.id === command.id;
  return {
    status: first ? 'applied' : 'replayed',
    kind: 'completion',
    completionId: found.id,
    achievementId: command.achievementId,
    at: found.at,
    programVersion: found.programVersion,
    decision: found.decision ?? {},
    ...(!first && { now: Object.fromEntries(accounts.get(found.userId) ?? []) }),
  };
}

/** What an import comes to whose user is known: it was this very one, it repeats one, or it is refused. */
export function importOutcome({ id, content }: ImportCommand, { imported }: FoundImport): Outcome {
  if (imported === undefined) return { status: 'refused', code: 'USER_EXISTS', detail: {} };
  const parts = Object.keys(content) as (keyof ImportContent)[];
  const changed = parts.filter((part) => canonical(content[part]) !== canonical(imported.content[part]));
  if (changed.length > 0) return { status: 'refused', code: 'IMPORT_DIFFERS', detail: { changed: changed.join(', ') } };
  return { status: imported.id === id ? 'applied' : 'replayed', kind: 'import' };
}

function keyReused(first: Readonly<Record<string, string>>): RefusedOutcome {
  return { status: 'refused', code: 'IDEMPOTENCY_KEY_REUSED', detail: first };
}
