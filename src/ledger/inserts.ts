import type { Insert } from '../db/insert.ts';
import { instantText } from '../db/pool.ts';
import { formatDecimal } from '../rules/decimal.ts';
import { HASH_VERSION } from './hash.ts';
import type {
  AnnouncementRow,
  ClockRow,
  CommandRow,
  CompletionRow,
  EntryRow,
  EventRow,
  ImportRow,
  LevelChangeRow,
  LevelRewardRow,
  RefusalRow,
  SettlementRow,
  StreakRunRow,
  TotalRow,
  TriggerCounterRow,
  UsageRow,
  UserCommandRow,
  UserRow,
  ZoneChangeRow,
} from './rows.ts';

// How each kind of row is inserted: a column of the table, its type, and what of the row goes there.

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

export const totals: Insert<TotalRow> = {
  table: 'metric_totals',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['metric_id', 'bigint', (row) => row.metricId],
    ['total', 'numeric', (row) => formatDecimal(row.counter.total)],
    ['high', 'numeric', (row) => formatDecimal(row.counter.high)],
  ],
  conflict: 'on conflict (user_id, metric_id) do update set total = excluded.total, high = excluded.high',
};

export const triggerCounters: Insert<TriggerCounterRow> = {
  table: 'trigger_counters',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['trigger_id', 'uuid', (row) => row.triggerId],
    ['total', 'numeric', (row) => formatDecimal(row.counter.total)],
    ['high', 'numeric', (row) => formatDecimal(row.counter.high)],
  ],
  conflict: 'on conflict (user_id, trigger_id) do update set total = excluded.total, high = excluded.high',
};

export const usage: Insert<UsageRow> = {
  table: 'trigger_usage',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['trigger_id', 'uuid', (row) => row.triggerId],
    ['slot', 'text', (row) => row.slot],
    ['awards', 'bigint', (row) => row.awards.toString()],
    ['points', 'bigint', (row) => row.points.toString()],
    ['at', 'timestamptz', (row) => instantText(row.at as number)],
  ],
  conflict: `on conflict (user_id, trigger_id, slot) do update set
    awards = excluded.awards, points = excluded.points, at = excluded.at`,
};

export const users: Insert<UserRow> = {
  table: 'users',
  columns: [
    ['project_id', 'bigint', (row) => row.projectId],
    ['external_id', 'text', (row) => row.externalId],
    ['name', 'text', (row) => row.name],
    ['email', 'text', (row) => row.email],
    ['zones', 'jsonb', (row) => JSON.stringify(row.zones)],
    ['attributes', 'jsonb', (row) => JSON.stringify(row.attributes)],
    ['device_tokens', 'jsonb', (row) => (row.deviceTokens === null ? null : JSON.stringify(row.deviceTokens))],
    ['seq', 'bigint', (row) => row.seq.toString()],
    ['event_hash', 'bytea', (row) => row.eventHash],
    ['created_at', 'timestamptz', (row) => (row.createdAt === null ? null : instantText(row.createdAt))],
    ['updated_at', 'timestamptz', (row) => instantText(row.updatedAt)],
  ],
  conflict: `on conflict (project_id, external_id) do update set name = excluded.name, email = excluded.email,
    zones = excluded.zones, attributes = excluded.attributes, device_tokens = excluded.device_tokens, seq = excluded.seq,
    event_hash = excluded.event_hash,
    created_at = excluded.created_at, updated_at = excluded.updated_at`,
};

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

export const clocks: Insert<ClockRow> = {
  table: 'clocks',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['system_id', 'bigint', (row) => row.systemId],
    ['settled_at', 'timestamptz', (row) => instantText(row.settledAt)],
    ['running', 'jsonb', (row) => JSON.stringify(row.running)],
    ['due_at', 'timestamptz', (row) => (row.dueAt === null ? null : instantText(row.dueAt))],
  ],
  conflict: `on conflict (user_id, system_id) do update set
    settled_at = excluded.settled_at, running = excluded.running, due_at = excluded.due_at`,
};

export const streakRuns: Insert<StreakRunRow> = {
  table: 'streak_runs',
  columns: [
    ['user_id', 'bigint', (row) => row.userId],
    ['frequency', 'text', (row) => row.frequency],
    ['first_period', 'int', (row) => row.first],
    ['last_period', 'int', (row) => row.last],
    ['due_at', 'timestamptz', (row) => (row.dueAt === null ? null : instantText(row.dueAt))],
    ['extended_at', 'timestamptz', (row) => (row.extendedAt === null ? null : instantText(row.extendedAt))],
  ],
  conflict: `on conflict (user_id, frequency, first_period) do update set last_period = excluded.last_period,
    due_at = excluded.due_at, extended_at = coalesce(excluded.extended_at, streak_runs.extended_at)`,
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
