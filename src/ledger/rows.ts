import type { DecisionRecord } from '../rules/record.ts';
import type { Attributes, Instant, Usage, ZonePeriod } from '../rules/types.ts';

/** A user as the pipeline holds it while it decides; `seq` and `eventHash` are the head of the event chain. */
export interface UserRow {
  id: string;
  projectId: string;
  externalId: string;
  name: string | null;
  email: string | null;
  zones: readonly ZonePeriod[];
  attributes: Attributes;
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

export type EntryKind = 'award' | 'spend' | 'adjust' | 'import';

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
  /** In days, up to and with the last day `YYYY-MM-DD`. */
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
  kind: 'event' | 'spend' | 'adjust' | 'user';
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
  kind: 'level_changed';
  payload: Readonly<Record<string, string | null>>;
  createdAt: Instant;
}
