import type { AnnouncementKind, AnnouncementPayload } from '../db/entities/outbox.ts';
import type { DecisionRecord, RewardsRecord } from '../rules/record.ts';
import type { SettlementRecord } from '../rules/settlement-record.ts';
import type { Attributes, Counter, Frequency, Instant, Usage, ZonePeriod } from '../rules/types.ts';

/** A user as the pipeline holds it while it decides; `seq` and `eventHash` are the head of the event chain. */
export interface UserRow {
  id: string;
  projectId: string;
  externalId: string;
  name: string | null;
  email: string | null;
  zones: readonly ZonePeriod[];
  attributes: Attributes;
  /** Null: none. */
  deviceTokens: readonly string[] | null;
  seq: bigint;
  eventHash: Buffer | null;
  createdAt: Instant | null;
  updatedAt: Instant;
}

export interface EventRow {
  userId: string;
  id: string;
  seq: bigint;
  metricId: string;
  keyed: boolean;
  key: string;
  value: string;
  attributes: Attributes;
  occurredAt: Instant;
  occurredAtSent: boolean;
  receivedAt: Instant;
  createdAt: Instant;
  totalBefore: string;
  totalAfter: string;
  highBefore: string;
  highAfter: string;
  programVersion: number;
  decision: DecisionRecord;
  hash: Buffer;
}

export type EntryKind = 'award' | 'spend' | 'adjust' | 'reward' | 'import';

export interface EntryRow {
  userId: string;
  systemId: string;
  version: bigint;
  kind: EntryKind;
  amount: bigint;
  balanceAfter: bigint;
  /** Of an import, and only there: all that was ever earned elsewhere. */
  earned?: bigint;
  /** Unique in the account: what the entry was made for, so that it can be made only once. */
  causeKey: string;
  eventId: string | null;
  triggerId: string | null;
  commandId: string | null;
  occurredAt: Instant;
  createdAt: Instant;
  hash: Buffer;
}

/** Running total of a user's metric, and the highest it has been. */
export interface TotalRow {
  userId: string;
  metricId: string;
  counter: Counter;
}

/** The same of a trigger that counts for itself. */
export interface TriggerCounterRow {
  userId: string;
  triggerId: string;
  counter: Counter;
}

/** A user whose windows of days are to be resolved anew. */
export interface ZoneChangeRow {
  projectId: string;
  userId: string;
}

/** What a trigger with limits has paid a user in one slot. */
export interface UsageRow extends Usage {
  userId: string;
  triggerId: string;
  slot: string;
}

/** A spend or an adjustment that was applied. */
export interface CommandRow {
  userId: string;
  id: string;
  kind: 'spend' | 'adjust';
  systemId: string;
  key: string;
  amount: bigint;
  reason: string;
  receivedAt: Instant;
  createdAt: Instant;
  programVersion: number;
  afterSeq: bigint;
  entryVersion: bigint;
  levelBefore: string | null;
  levelAfter: string | null;
  /** What levels gave with it; null: nothing. */
  decision: RewardsRecord | null;
}

/** A call that made a user known or changed what is known. */
export interface UserCommandRow {
  userId: string;
  id: string;
  mode: 'create' | 'identify' | 'update';
  created: boolean;
  receivedAt: Instant;
  createdAt: Instant;
  programVersion: number;
  /** What the user got for becoming known; null: was known before. */
  decision: DecisionRecord | null;
}

/** What a user had elsewhere, as it was told; points and decimals in their shortest form, lists in the order of ids. */
export interface ImportContent {
  /** Null: not told. */
  createdAt: Instant | null;
  balances: readonly ImportedBalance[];
  totals: readonly { metricId: string; total: string; high: string }[];
  /** Of triggers with event filters. */
  counters: readonly { triggerId: string; total: string; high: string }[];
  /** In periods of the project's streak, up to and with that of the last day `YYYY-MM-DD`. */
  streak: { length: number; lastDay: string } | null;
}

export interface ImportedBalance {
  systemId: string;
  balance: string;
  earned: string;
  /** Key of the level the user had there; null: not told. */
  level: string | null;
}

/** The import by which a user became known. */
export interface ImportRow {
  userId: string;
  id: string;
  content: ImportContent;
  receivedAt: Instant;
  createdAt: Instant;
  programVersion: number;
  hash: Buffer;
}

export interface RefusalRow {
  userId: string;
  id: string;
  kind: 'event' | 'spend' | 'adjust' | 'user' | 'complete';
  metricId: string | null;
  systemId: string | null;
  keyed: boolean;
  key: string;
  value: string;
  attributes: Attributes;
  occurredAt: Instant;
  receivedAt: Instant;
  createdAt: Instant;
  programVersion: number;
  code: string;
  detail: Readonly<Record<string, string>>;
}

/** What was due by the clock when an event or a command came. */
export interface SettlementRow {
  userId: string;
  /** Of that event or command. */
  id: string;
  until: Instant;
  createdAt: Instant;
  afterSeq: bigint;
  programVersion: number;
  record: SettlementRecord;
}

/** How far ticks of a points system are settled for a user. */
export interface ClockRow {
  userId: string;
  systemId: string;
  settledAt: Instant;
  running: Readonly<Record<string, number | null>>;
  dueAt: Instant | null;
}

/** A run of a user's streak; `last` null: it is part of another one. */
export interface StreakRunRow {
  userId: string;
  frequency: Frequency;
  first: number;
  last: number | null;
  /** When it is over, and its loss told; null: that is done, or it was over when it was written. */
  dueAt: Instant | null;
  /** When something was first done in its last period; null: as it is stored, or not known. */
  extendedAt: Instant | null;
}

/** That a user has completed an achievement. */
export interface CompletionRow {
  userId: string;
  achievementId: string;
  /** Of the event or the command that completed it. */
  id: string;
  byEvent: boolean;
  at: Instant;
  createdAt: Instant;
  afterSeq: bigint;
  programVersion: number;
  backdated: boolean;
  /** Null: by an event, which has it. */
  decision: DecisionRecord | null;
}

/** A level that has given what it gives. */
export interface LevelRewardRow {
  userId: string;
  systemId: string;
  levelKey: string;
  createdAt: Instant;
}

/** A user's way from one level to another; null: below every level. */
export interface LevelChangeRow {
  userId: string;
  systemId: string;
  /** Of the account after what changed the level. */
  version: bigint;
  before: string | null;
  after: string | null;
  createdAt: Instant;
}

/** Something to be told to the outside after the commit. */
export interface AnnouncementRow {
  projectId: string;
  userId: string;
  kind: AnnouncementKind;
  payload: AnnouncementPayload;
  createdAt: Instant;
}
