import type { Queryable } from '../db/pool.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { DecisionRecord } from '../rules/record.ts';
import type { Attributes, Instant } from '../rules/types.ts';

/** Names an event as its sender does: a keyless one by its own id. */
export interface EventName {
  id: string;
  projectId: string;
  user: string;
  metricId: string;
  key: string | null;
}

export interface FoundEvent {
  userId: string;
  id: string;
  value: string;
  attributes: Attributes;
  occurredAt: Instant;
  /** Null: the sender gave no instant. */
  sentAt: Instant | null;
  totalAfter: string;
  totalNow: string;
  programVersion: number;
  decision: DecisionRecord;
}

// Events are looked up one by one, each by its whole key: a plan made while the tables are small would join all of a user's
// rows to each name, and outlives their growth.

/** The applied events that have the names asked for, by the `id` that was asked with. */
export async function findEvents(db: Queryable, names: readonly EventName[]): Promise<Map<string, FoundEvent>> {
  if (names.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-events',
    text: `select asked.id as asked_id, e.user_id, e.id, e.value, e.attributes, e.occurred_at, e.occurred_at_sent,
        e.total_after, t.total as total_now, e.program_version, e.decision
      from unnest($1::bigint[], $2::text[], $3::bigint[], $4::boolean[], $5::text[], $6::uuid[])
        as asked (project_id, external_id, metric_id, keyed, key, id)
      join users u using (project_id, external_id)
      cross join lateral (
        select * from events where user_id = u.id and metric_id = asked.metric_id and keyed = asked.keyed
          and key = asked.key limit 1
      ) e
      join metric_totals t on t.user_id = u.id and t.metric_id = e.metric_id`,
    values: nameColumns(names),
  });
  return new Map(
    rows.map((row) => [
      row.asked_id as string,
      {
        userId: row.user_id as string,
        id: row.id as string,
        value: shortest(row.value),
        attributes: row.attributes as Attributes,
        occurredAt: (row.occurred_at as Date).getTime(),
        sentAt: row.occurred_at_sent ? (row.occurred_at as Date).getTime() : null,
        totalAfter: shortest(row.total_after),
        totalNow: shortest(row.total_now),
        programVersion: row.program_version as number,
        decision: row.decision as DecisionRecord,
      },
    ]),
  );
}

/** The `id`s of names whose event is applied, or whose attempt was refused or set aside. */
export async function findKnownEvents(db: Queryable, names: readonly EventName[]): Promise<string[]> {
  if (names.length === 0) return [];
  const { rows } = await db.query({
    name: 'find-known-events',
    text: `select asked.id
      from unnest($1::bigint[], $2::text[], $3::bigint[], $4::boolean[], $5::text[], $6::uuid[])
        as asked (project_id, external_id, metric_id, keyed, key, id)
      left join users u using (project_id, external_id)
      left join lateral (
        select true as found from events
        where user_id = u.id and metric_id = asked.metric_id and keyed = asked.keyed and key = asked.key limit 1
      ) applied on true
      left join lateral (
        select true as found from refusals where user_id = u.id and id = asked.id limit 1
      ) refused on true
      left join lateral (select true as found from poisoned where id = asked.id limit 1) aside on true
      where applied.found or refused.found or aside.found`,
    values: nameColumns(names),
  });
  return rows.map((row) => row.id as string);
}

function nameColumns(names: readonly EventName[]): unknown[] {
  return [
    names.map((name) => name.projectId),
    names.map((name) => name.user),
    names.map((name) => name.metricId),
    names.map((name) => name.key !== null),
    names.map((name) => name.key ?? name.id),
    names.map((name) => name.id),
  ];
}

/** PostgreSQL pads a numeric to its scale; everywhere else a decimal is in its shortest form. */
export function shortest(numeric: string): string {
  return formatDecimal(parseDecimal(numeric));
}
