import { entryHash } from '../ledger/hash.ts';
import { type AccountState, pairKey } from '../ledger/load.ts';
import type { Postings } from '../ledger/post.ts';
import type { AnnouncementRow, EntryRow, StreakRunRow, UsageRow, UserRow } from '../ledger/rows.ts';
import type { KnownRun, OpenRun } from '../ledger/streaks.ts';
import type { Announced } from '../ledger/webhooks.ts';
import type { Applied, Refused, Reward, SystemChange } from '../rules/decision.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { DecisionRecord } from '../rules/record.ts';
import { levelName } from '../rules/reward.ts';
import type { Clock } from '../rules/ticks.ts';
import type { Completion, Counter, Instant, Trigger, Usage } from '../rules/types.ts';

import type { Cause, PointsChange } from '../webhooks/hold.ts';
import type { Command, ImportCommand, SettleCommand } from './command.ts';

import type { Outcome } from './outcome.ts';

/** The mutable rows of a batch, locked, as they are after the commands decided so far. By user: project and user. */
export interface State {
  now: Instant;
  users: Map<string, UserRow>;
  totals: Map<string, Counter>;
  triggerCounters: Map<string, Counter>;
  accounts: Map<string, AccountState>;
  /** By user, then by trigger and slot. */
  usage: Map<string, Map<string, Usage>>;
  /** By user, then by system. */
  clocks: Map<string, Map<string, Clock>>;
  /** By user. */
  runs: Map<string, KnownRun[]>;
  /** By user, those whose end is not told yet. */
  open: Map<string, OpenRun[]>;
  /** By user. */
  completed: Map<string, Set<string>>;
  /** By user. */
  rewarded: Map<string, Set<string>>;
  announced: Announced;
  changed: {
    users: Set<UserRow>;
    /** Users of whom more has changed than their chain of events. */
    profiles: Set<string>;
    totals: Map<string, { userId: string; metricId: string }>;
    usage: Map<string, UsageRow>;
    runs: Map<string, StreakRunRow>;
  };
  postings: Postings;
}

export function refuse(
  state: State,
  userId: string,
  command: Exclude<Command, SettleCommand | ImportCommand>,
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
    addEntry(state, {
      userId: user.id,
      systemId: fired.systemId,
      version: fired.version,
      kind: 'award',
      amount: fired.amount,
      balanceAfter: fired.balanceAfter,
      causeKey: causeOf(index.triggerById.get(fired.triggerId), fired.triggerId, cause.eventId),
      eventId: cause.eventId,
      triggerId: fired.triggerId,
      commandId: cause.commandId,
      occurredAt: fired.at ?? cause.at,
      createdAt: state.now,
    });
  }
  addRewards(state, user, decision.rewards, cause);
}

/** What can be given only once is named so, whatever brings it about. */
function causeOf(trigger: Trigger | undefined, triggerId: string, eventId: string | null): string {
  if (trigger?.type === 'user_creation') return `user_creation:${triggerId}`;
  if (trigger?.type === 'achievement') return `achievement:${trigger.achievementId}:${triggerId}`;
  return `event:${eventId}:${triggerId}`;
}

/** That the user has completed an achievement, by an event or, with what was decided for it, by a command. */
export function addCompletion(
  state: State,
  user: UserRow,
  { achievementId, backdated }: Completion,
  cause: { command: Command; at: Instant; programVersion: number; decision: DecisionRecord | null },
): void {
  const key = userKey(cause.command);
  if (!backdated) {
    const payload = { achievement: achievementId, at: cause.at, program: cause.programVersion };
    announce(state, user, 'achievement_completed', payload);
  }
  state.completed.set(key, (state.completed.get(key) ?? new Set()).add(achievementId));
  state.postings.completions.push({
    userId: user.id,
    achievementId,
    id: cause.command.id,
    byEvent: cause.decision === null,
    at: cause.at,
    createdAt: state.now,
    afterSeq: user.seq,
    programVersion: cause.programVersion,
    backdated,
    decision: cause.decision,
  });
}

/** The entries of what levels gave, each of which gives once. */
export function addRewards(
  state: State,
  user: UserRow,
  rewards: readonly Reward[],
  cause: { eventId: string | null; commandId: string | null; at: Instant },
): void {
  const key = `${user.projectId} ${user.externalId}`;
  for (const reward of rewards) {
    const { systemId, levelKey, targetId } = reward;
    const name = levelName(systemId, levelKey);
    if (!state.rewarded.get(key)?.has(name)) keepRewarded(state, user, systemId, levelKey);
    if (reward.version === null) continue;
    addEntry(state, {
      userId: user.id,
      systemId: targetId,
      version: reward.version,
      kind: 'reward',
      amount: reward.amount,
      balanceAfter: reward.balanceAfter,
      causeKey: `level:${systemId}:${levelKey}`,
      eventId: cause.eventId,
      triggerId: null,
      commandId: cause.commandId,
      occurredAt: cause.at,
      createdAt: state.now,
    });
  }
}

/** A level gives no more for being reached. */
export function keepRewarded(state: State, user: UserRow, systemId: string, levelKey: string): void {
  const key = `${user.projectId} ${user.externalId}`;
  state.rewarded.set(key, (state.rewarded.get(key) ?? new Set()).add(levelName(systemId, levelKey)));
  state.postings.levelRewards.push({ userId: user.id, systemId, levelKey, createdAt: state.now });
}

export function changeAccount(state: State, user: UserRow, change: SystemChange, cause: Cause): void {
  const key = pairKey(user.id, change.systemId);
  const { hash } = state.accounts.get(key) as AccountState;
  state.accounts.set(key, { ...change.after, hash });
  const changed: PointsChange = {
    system: change.systemId,
    added: String(change.after.balance - change.before.balance),
    total: String(change.after.balance),
    from: change.levelBefore,
    to: change.levelAfter,
    causes: [cause],
  };
  if (change.before.version !== change.after.version) announce(state, user, 'points_changed', { ...changed });
  if (change.levelBefore === change.levelAfter) return;
  state.postings.levelChanges.push({
    userId: user.id,
    systemId: change.systemId,
    version: change.after.version,
    before: change.levelBefore,
    after: change.levelAfter,
    createdAt: state.now,
  });
  announce(state, user, 'level_changed', { ...changed });
}

/** Has the webhooks of the project told after the commit; nothing is written where none wants to know. */
export function announce(
  state: State,
  { projectId, id: userId }: UserRow,
  kind: AnnouncementRow['kind'],
  payload: AnnouncementRow['payload'],
): void {
  if (!state.announced.has(projectId, kind)) return;
  state.postings.announcements.push({ projectId, userId, kind, payload, createdAt: state.now });
}

/** The last state of each row that changed. */
export function collect(state: State): void {
  const { postings, changed } = state;
  for (const [key, user] of state.users) {
    if (changed.users.has(user)) (changed.profiles.has(key) ? postings.users : postings.userChains).push(user);
  }
  for (const [key, { userId, metricId }] of changed.totals) {
    postings.totals.push({ userId, metricId, counter: state.totals.get(key) as Counter });
  }
  postings.usage = [...changed.usage.values()];
  postings.streakRuns = [...changed.runs.values()];
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
