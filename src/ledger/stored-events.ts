import type { QueryResultRow } from 'pg';
import type { Queryable } from '../db/pool.ts';
import type { RefusalCode } from '../rules/decision.ts';
import type { DecisionRecord } from '../rules/record.ts';
import type { Attributes, Instant } from '../rules/types.ts';
import { shortest } from './events.ts';

/** An event, applied or refused, as it is shown. */
export interface StoredEvent {
  id: string;
  user: string;
  metricId: string;
  value: string;
  attributes: Attributes;
  key: string | null;
  occurredAt: Instant;
  receivedAt: Instant;
  programVersion: number;
  outcome:
    | {
        status: 'applied';
        seq: bigint;
        totalBefore: string;
        totalAfter: string;
        highBefore: string;
        highAfter: string;
        decision: DecisionRecord;
      }
    | { status: 'refused'; code: RefusalCode; detail: Readonly<Record<string, string>> };
}

const APPLIED = `select e.id, u.external_id, e.metric_id, e.value, e.attributes, e.keyed, e.key, e.occurred_at,
    e.received_at, e.program_version, e.seq, e.total_before, e.total_after, e.high_before,
    e.high_after, e.decision
  from events e join users u on u.id = e.user_id`;

const REFUSED = `select r.id, u.external_id, r.metric_id, r.value, r.attributes, r.keyed, r.key, r.occurred_at,
    r.received_at, r.program_version, r.code, r.detail
  from refusals r join users u on u.id = r.user_id`;

/** The event with this id in the project, applied or refused. */
export async function eventById(db: Queryable, projectId: string, id: string): Promise<StoredEvent | undefined> {
  const applied = await db.query({
    name: 'event-by-id',
    text: `${APPLIED} where e.id = $2 and u.project_id = $1`,
    values: [projectId, id],
  });
  if (applied.rows[0] !== undefined) return readApplied(applied.rows[0]);
  const refused = await db.query({
    name: 'refusal-by-id',
    text: `${REFUSED} where r.id = $2 and r.kind = 'event' and u.project_id = $1`,
    values: [projectId, id],
  });
  return refused.rows[0] === undefined ? undefined : readRefused(refused.rows[0]);
}

/** The event sent with this key: applied, or else the last attempt that was refused. */
export async function eventByKey(
  db: Queryable,
  projectId: string,
  name: { user: string; metricId: string; key: string },
): Promise<StoredEvent | undefined> {
  const values = [projectId, name.user, name.metricId, name.key];
  const applied = await db.query({
    name: 'event-by-key',
    text: `${APPLIED} where u.project_id = $1 and u.external_id = $2 and e.metric_id = $3 and e.keyed and e.key = $4`,
    values,
  });
  if (applied.rows[0] !== undefined) return readApplied(applied.rows[0]);
  const refused = await db.query({
    name: 'refusal-by-key',
    text: `${REFUSED} where u.project_id = $1 and u.external_id = $2 and r.metric_id = $3 and r.keyed and r.key = $4
      order by r.created_at desc, r.id desc limit 1`,
    values,
  });
  return refused.rows[0] === undefined ? undefined : readRefused(refused.rows[0]);
}

/** The last `limit` applied events of a user below `beforeSeq`, the last applied first. */
export async function eventsOf(
  db: Queryable,
  userId: string,
  page: { metricId: string | null; beforeSeq: string | undefined; limit: number },
): Promise<StoredEvent[]> {
  const { rows } = await db.query({
    name: 'events-of',
    text: `${APPLIED} where e.user_id = $1 and ($2::bigint is null or e.metric_id = $2)
      and ($3::bigint is null or e.seq < $3) order by e.seq desc limit $4`,
    values: [userId, page.metricId, page.beforeSeq ?? null, page.limit],
  });
  return rows.map(readApplied);
}

type Row = QueryResultRow;

function readCommon(row: Row): Omit<StoredEvent, 'outcome'> {
  return {
    id: row.id,
    user: row.external_id,
    metricId: row.metric_id,
    value: shortest(row.value),
    attributes: row.attributes,
    key: row.keyed ? row.key : null,
    occurredAt: (row.occurred_at as Date).getTime(),
    receivedAt: (row.received_at as Date).getTime(),
    programVersion: row.program_version,
  };
}

function readApplied(row: Row): StoredEvent {
  return {
    ...readCommon(row),
    outcome: {
      status: 'applied',
      seq: BigInt(row.seq),
      totalBefore: shortest(row.total_before),
      totalAfter: shortest(row.total_after),
      highBefore: shortest(row.high_before),
      highAfter: shortest(row.high_after),
      decision: row.decision,
    },
  };
}

function readRefused(row: Row): StoredEvent {
  return { ...readCommon(row), outcome: { status: 'refused', code: row.code, detail: row.detail } };
}
