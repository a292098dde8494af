import { entryHash } from '../ledger/hash.ts';
import { type AccountState, pairKey } from '../ledger/load.ts';
import type { Postings } from '../ledger/post.ts';
import type { EntryRow, UsageRow, UserRow } from '../ledger/rows.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Applied, Counter, Instant, Refused, SystemChange, Usage } from '../rules/types.ts';
import type { Command, ImportCommand } from './command.ts';
import type { Outcome } from './outcome.ts';

/** The mutable rows of a batch, locked, as they are after the commands decided so far. */
export interface State {
  now: Instant;
  users: Map<string, UserRow>;
  totals: Map<string, Counter>;
  triggerCounters: Map<string, Counter>;
  accounts: Map<string, AccountState>;
  /** By user, then by trigger and slot. */
  usage: Map<string, Map<string, Usage>>;
  changed: {
    users: Set<UserRow>;
    totals: Map<string, { userId: string; metricId: string }>;
    usage: Map<string, UsageRow>;
  };
  postings: Postings;
}

export function refuse(
  state: State,
  userId: string,
  command: Exclude<Command, ImportCommand>,
  refusal: Pick<Refused, 'code' | 'detail' | 'programVersion'>,
): Outcome {
  const event = command.kind === 'event' ? command : null;
  state.postings.refusals.push({
    userId,
    id: command.id,
    kind: command.kind,
    metricId: event?.metricId ?? null,
    systemId: 'systemId' in command ? command.systemId : null,
    keyed: 'key' in command && command.key !== null,
    key: ('key' in command ? command.key : null) ?? command.id,
    value: 'value' in command ? command.value : 'amount' in command ? command.amount : '0',
    attributes: event?.attributes ?? {},
    occurredAt: event?.occurredAt ?? command.receivedAt,
    receivedAt: command.receivedAt,
    createdAt: state.now,
    programVersion: refusal.programVersion,
    code: refusal.code,
    detail: refusal.detail,
  });
  return { status: 'refused', code: refusal.code, detail: refusal.detail };
}

/** An entry continues its account's chain of hashes. */
export function addEntry(state: State, row: Omit<EntryRow, 'hash'>): void {
  const key = pairKey(row.userId, row.systemId);
  const account = state.accounts.get(key) as AccountState;
  const entry = { ...row, hash: entryHash(account.hash, row) };
  state.postings.entries.push(entry);
  state.accounts.set(key, { ...account, hash: entry.hash });
}

/** The entries of what was decided to be given or taken: one a trigger that fired and was not left with nothing. */
export function addAwards(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  decision: Applied,
  cause: { eventId: string | null; commandId: string | null; at: Instant },
): void {
  for (const fired of decision.fired) {
    if (fired.version === null) continue;
    const creation = index.triggerById.get(fired.triggerId)?.type === 'user_creation';
    addEntry(state, {
      userId: user.id,
      systemId: fired.systemId,
      version: fired.version,
      kind: 'award',
      amount: fired.amount,
      balanceAfter: fired.balanceAfter,
      causeKey: creation ? `user_creation:${fired.triggerId}` : `event:${cause.eventId}:${fired.triggerId}`,
      eventId: cause.eventId,
      triggerId: fired.triggerId,
      commandId: cause.commandId,
      occurredAt: fired.at ?? cause.at,
      createdAt: state.now,
    });
  }
}

export function changeAccount(
  state: State,
  user: UserRow,
  change: SystemChange,
  cause: string,
  { announce } = { announce: true },
): void {
  const key = pairKey(user.id, change.systemId);
  const { hash } = state.accounts.get(key) as AccountState;
  state.accounts.set(key, { ...change.after, hash });
  if (change.levelBefore === change.levelAfter) return;
  state.postings.levelChanges.push({
    userId: user.id,
    systemId: change.systemId,
    version: change.after.version,
    before: change.levelBefore,
    after: change.levelAfter,
    createdAt: state.now,
  });
  if (!announce) return;
  state.postings.announcements.push({
    projectId: user.projectId,
    userId: user.id,
    kind: 'level_changed',
    payload: { system: change.systemId, from: change.levelBefore, to: change.levelAfter, cause },
    createdAt: state.now,
  });
}

/** The last state of each row that changed. */
export function collect(state: State): void {
  const { postings, changed } = state;
  postings.users = [...state.users.values()].filter((user) => changed.users.has(user));
  for (const [key, { userId, metricId }] of changed.totals) {
    postings.totals.push({ userId, metricId, counter: state.totals.get(key) as Counter });
  }
  postings.usage = [...changed.usage.values()];
  for (const [key, counter] of state.triggerCounters) {
    const [userId, triggerId] = key.split(' ') as [string, string];
    postings.triggerCounters.push({ userId, triggerId, counter });
  }
}

/** The rows of a user, by what they belong to. */
export function pick<T>(rows: Map<string, T>, userId: string, parts: readonly string[]): Map<string, T> {
  const picked = new Map<string, T>();
  for (const part of parts) {
    const row = rows.get(pairKey(userId, part));
    if (row !== undefined) picked.set(part, row);
  }
  return picked;
}

export function userKey(command: Command): string {
  return `${command.projectId} ${command.user}`;
}
