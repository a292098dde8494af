import type { Insert } from '../db/insert.ts';
import { instantText } from '../db/pool.ts';
import { formatDecimal } from '../rules/decimal.ts';
import type { ClockRow, StreakRunRow, TotalRow, TriggerCounterRow, UsageRow, UserRow } from './rows.ts';

// How each kind of row is written that changes: it is inserted, or takes the place of the one that is there.

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

export const userChains: Insert<UserRow> = {
  table: 'users',
  name: 'user-chains',
  columns: [
    ['project_id', 'bigint', (row) => row.projectId],
    ['external_id', 'text', (row) => row.externalId],
    ['seq', 'bigint', (row) => row.seq.toString()],
    ['event_hash', 'bytea', (row) => row.eventHash],
    ['created_at', 'timestamptz', (row) => (row.createdAt === null ? null : instantText(row.createdAt))],
    ['updated_at', 'timestamptz', (row) => instantText(row.updatedAt)],
  ],
  conflict: `on conflict (project_id, external_id) do update set seq = excluded.seq, event_hash = excluded.event_hash,
    updated_at = excluded.updated_at`,
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
