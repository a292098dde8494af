import type { AnnouncementKind } from '../../db/entities/outbox.ts';
import { type Orm, transact } from '../../db/orm.ts';
import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import type { DeliveryName } from '../../webhooks/message-id.ts';

export type DeliveryStatus = 'pending' | 'delivered' | 'failed';

/** A delivery as it is shown. */
export interface LoggedDelivery extends DeliveryName {
  kind: AnnouncementKind;
  /** The app's own id; null: of nobody. */
  user: string | null;
  status: DeliveryStatus;
  createdAt: Instant;
  finishedAt: Instant | null;
  /** The first one first. */
  attempts: readonly LoggedAttempt[];
}

export interface LoggedAttempt {
  at: Instant;
  durationMs: number;
  statusCode: number | null;
  error: string | null;
  answer: string;
}

const ATTEMPTS_MAX = 50;

const DELIVERIES = `select d.webhook_id, d.event_id, d.kind, u.external_id, d.status, d.created_at, d.finished_at, a.attempts
  from webhook_deliveries d left join users u on u.id = d.user_id
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('at', (extract(epoch from at) * 1000)::bigint, 'durationMs', duration_ms,
      'statusCode', status_code, 'error', error, 'answer', answer) order by id), '[]') as attempts
    from (
      select * from webhook_attempts where webhook_id = d.webhook_id and event_id = d.event_id
      order by id desc limit ${ATTEMPTS_MAX}
    ) latest
  ) a`;

/** Deliveries of a webhook with events before this one, the latest first; null: of any status, from the latest on. */
export async function deliveriesOf(
  db: Queryable,
  webhookId: string,
  page: { status: DeliveryStatus | null; beforeEventId: string | null; limit: number },
): Promise<LoggedDelivery[]> {
  const { rows } = await db.query({
    name: 'deliveries-of',
    text: `${DELIVERIES} where d.webhook_id = $1 and ($2::text is null or d.status = $2)
      and ($3::bigint is null or d.event_id < $3) order by d.event_id desc limit $4`,
    values: [webhookId, page.status, page.beforeEventId, page.limit],
  });
  return rows.map((row) => ({
    webhookId: row.webhook_id,
    eventId: row.event_id,
    kind: row.kind,
    user: row.external_id,
    status: row.status,
    createdAt: row.created_at.getTime(),
    finishedAt: row.finished_at?.getTime() ?? null,
    attempts: row.attempts,
  }));
}

/** Undefined: there is none. */
export async function deliveryBy(
  db: Queryable,
  { webhookId, eventId }: DeliveryName,
): Promise<LoggedDelivery | undefined> {
  const beforeEventId = String(BigInt(eventId) + 1n);
  const [found] = await deliveriesOf(db, webhookId, { status: null, beforeEventId, limit: 1 });
  return found?.eventId === eventId ? found : undefined;
}

/**
 * Puts a delivery first in the queue of its webhook and user, whatever became of it, as if it had never been tried. Gives
 * whether that was done: not where it or its webhook is unknown, archived or paused.
 */
export async function resend(
  orm: Orm,
  projectId: string,
  { webhookId, eventId }: DeliveryName,
  now: Instant,
): Promise<'queued' | 'unknown' | 'paused'> {
  return transact(orm, async (em) => {
    const found: { user_id: string; status: string }[] = await em.execute(
      `select d.user_id::text, w.status from webhook_deliveries d join webhooks w on w.id = d.webhook_id
      where d.webhook_id = ? and d.event_id = ? and w.project_id = ? and w.archived_at is null`,
      [webhookId, eventId, projectId],
    );
    const [delivery] = found;
    if (delivery === undefined) return 'unknown';
    if (delivery.status === 'paused') return 'paused';
    // The queue first: who delivers from it writes down its attempt before this, or finds the delivery queued again.
    await em.execute(
      `insert into webhook_queues as q (webhook_id, user_id, pending, due_at) values (?, ?, 0, ?::timestamptz)
      on conflict (webhook_id, user_id) do update set
        due_at = case when q.lease is null then excluded.due_at else q.due_at end`,
      [webhookId, delivery.user_id, instantText(now)],
    );
    await em.execute(
      `with again as (
        update webhook_deliveries set status = 'pending', finished_at = null, tries = 0
        where webhook_id = ? and event_id = ? and status <> 'pending' returning webhook_id, user_id
      )
      update webhook_queues q set pending = q.pending + 1 from again
      where q.webhook_id = again.webhook_id and q.user_id = again.user_id`,
      [webhookId, eventId],
    );
    await em.execute(
      `update webhook_deliveries set tries = 0 where webhook_id = ? and event_id = ? and status = 'pending'`,
      [webhookId, eventId],
    );
    return 'queued';
  });
}
