import type { Insert } from '../db/insert.ts';
import { instantText } from '../db/pool.ts';
import { HASH_VERSION } from './hash.ts';
import type {
  AnnouncementRow,
  CommandRow,
  CompletionRow,
  EntryRow,
  EventRow,
  ImportRow,
  LevelChangeRow,
  LevelRewardRow,
  RefusalRow,
  SettlementRow,
  UserCommandRow,
  ZoneChangeRow,
} from './rows.ts';

// How each kind of row is inserted that stays as it is: a column of the table, its type, and what of the row goes there.

export const events: Insert<EventRow> = {
  table: 'events',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['seq', 'bigint', (row) => row.seq.toString()],
    ['metric_id', 'bigint', (row) => row.metricId],
    ['keyed', 'boolean', (row) => row.keyed],
    ['key', 'text', (row) => row.key],
    ['value', 'numeric', (row) => row.value],
    ['attributes', 'jsonb', (row) => JSON.stringify(row.attributes)],
    ['occurred_at', 'timestamptz', (row) => instantText(row.occurredAt)],
    ['occurred_at_sent', 'boolean', (row) => row.occurredAtSent],
    ['received_at', 'timestamptz', (row) => instantText(row.receivedAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['total_before', 'numeric', (row) => row.totalBefore],
    ['total_after', 'numeric', (row) => row.totalAfter],
    ['high_before', 'numeric', (row) => row.highBefore],
    ['high_after', 'numeric', (row) => row.highAfter],
    ['program_version', 'int', (row) => row.programVersion],
    ['decision', 'jsonb', (row) => JSON.stringify(row.decision)],
    ['hash_version', 'smallint', () => HASH_VERSION],
    ['hash', 'bytea', (row) => row.hash],
  ],
};

export const entries: Insert<EntryRow> = {
  table: 'entries',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['system_id', 'bigint', (row) => row.systemId],
    ['version', 'bigint', (row) => row.version.toString()],
    ['kind', 'text', (row) => row.kind],
    ['amount', 'bigint', (row) => row.amount.toString()],
    ['balance_after', 'bigint', (row) => row.balanceAfter.toString()],
    ['earned', 'bigint', (row) => row.earned?.toString() ?? null],
    ['cause_key', 'text', (row) => row.causeKey],
    ['event_id', 'uuid', (row) => row.eventId],
    ['trigger_id', 'uuid', (row) => row.triggerId],
    ['command_id', 'uuid', (row) => row.commandId],
    ['occurred_at', 'timestamptz', (row) => instantText(row.occurredAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['hash_version', 'smallint', () => HASH_VERSION],
    ['hash', 'bytea', (row) => row.hash],
  ],
};

export const commands: Insert<CommandRow> = {
  table: 'commands',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['kind', 'text', (row) => row.kind],
    ['system_id', 'bigint', (row) => row.systemId],
    ['key', 'text', (row) => row.key],
    ['amount', 'bigint', (row) => row.amount.toString()],
    ['reason', 'text', (row) => row.reason],
    ['received_at', 'timestamptz', (row) => instantText(row.receivedAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['program_version', 'int', (row) => row.programVersion],
    ['after_seq', 'bigint', (row) => row.afterSeq.toString()],
    ['entry_version', 'bigint', (row) => row.entryVersion.toString()],
    ['level_before', 'text', (row) => row.levelBefore],
    ['level_after', 'text', (row) => row.levelAfter],
    ['decision', 'jsonb', (row) => (row.decision === null ? null : JSON.stringify(row.decision))],
  ],
};

export const userCommands: Insert<UserCommandRow> = {
  table: 'user_commands',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['mode', 'text', (row) => row.mode],
    ['created', 'boolean', (row) => row.created],
    ['received_at', 'timestamptz', (row) => instantText(row.receivedAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['program_version', 'int', (row) => row.programVersion],
    ['decision', 'jsonb', (row) => (row.decision === null ? null : JSON.stringify(row.decision))],
  ],
};

export const imports: Insert<ImportRow> = {
  table: 'user_imports',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['content', 'jsonb', (row) => JSON.stringify(row.content)],
    ['received_at', 'timestamptz', (row) => instantText(row.receivedAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['program_version', 'int', (row) => row.programVersion],
    ['hash_version', 'smallint', () => HASH_VERSION],
    ['hash', 'bytea', (row) => row.hash],
  ],
};

/** Of users who have a row, as almost all are; with what a row must have to be one. */
export const refusals: Insert<RefusalRow> = {
  table: 'refusals',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['kind', 'text', (row) => row.kind],
    ['metric_id', 'bigint', (row) => row.metricId],
    ['system_id', 'bigint', (row) => row.systemId],
    ['keyed', 'boolean', (row) => row.keyed],
    ['key', 'text', (row) => row.key],
    ['value', 'numeric', (row) => row.value],
    ['attributes', 'jsonb', (row) => JSON.stringify(row.attributes)],
    ['occurred_at', 'timestamptz', (row) => instantText(row.occurredAt)],
    ['received_at', 'timestamptz', (row) => instantText(row.receivedAt)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['program_version', 'int', (row) => row.programVersion],
    ['code', 'text', (row) => row.code],
    ['detail', 'jsonb', (row) => JSON.stringify(row.detail)],
  ],
};

export const levelChanges: Insert<LevelChangeRow> = {
  table: 'level_changes',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['system_id', 'bigint', (row) => row.systemId],
    ['version', 'bigint', (row) => row.version.toString()],
    ['level_before', 'text', (row) => row.before],
    ['level_after', 'text', (row) => row.after],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
  ],
};

export const outbox: Insert<AnnouncementRow> = {
  table: 'outbox',
  columns: [
    ['project_id', 'bigint', (row) => row.projectId],
    ['user_id', 'bigint', (row) => row.userId],
    ['kind', 'text', (row) => row.kind],
    ['payload', 'jsonb', (row) => JSON.stringify(row.payload)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
  ],
};

export const zoneChanges: Insert<ZoneChangeRow> = {
  table: 'zone_changes',
  columns: [
    ['project_id', 'bigint', (row) => row.projectId],
    ['user_id', 'bigint', (row) => row.userId],
  ],
};

export const settlements: Insert<SettlementRow> = {
  table: 'settlements',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['id', 'uuid', (row) => row.id],
    ['until', 'timestamptz', (row) => instantText(row.until)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['after_seq', 'bigint', (row) => row.afterSeq.toString()],
    ['program_version', 'int', (row) => row.programVersion],
    ['record', 'jsonb', (row) => JSON.stringify(row.record)],
  ],
};

export const completions: Insert<CompletionRow> = {
  table: 'completions',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['achievement_id', 'uuid', (row) => row.achievementId],
    ['id', 'uuid', (row) => row.id],
    ['by_event', 'boolean', (row) => row.byEvent],
    ['at', 'timestamptz', (row) => instantText(row.at)],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
    ['after_seq', 'bigint', (row) => row.afterSeq.toString()],
    ['program_version', 'int', (row) => row.programVersion],
    ['backdated', 'boolean', (row) => row.backdated],
    ['decision', 'jsonb', (row) => (row.decision === null ? null : JSON.stringify(row.decision))],
  ],
};

export const levelRewards: Insert<LevelRewardRow> = {
  table: 'level_rewards',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['system_id', 'bigint', (row) => row.systemId],
    ['level_key', 'text', (row) => row.levelKey],
    ['created_at', 'timestamptz', (row) => instantText(row.createdAt)],
  ],
};
