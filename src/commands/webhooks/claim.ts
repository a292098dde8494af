import type { AnnouncementKind, AnnouncementPayload } from '../../db/entities/outbox.ts';
import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import type { Secrets } from '../../webhooks/signature.ts';

/** A claim is given to another worker after so long: longer than a receiver may take. */
const LEASE_MS = 30_000;

/** The queue of a webhook and user, which nobody else delivers while the lease is held. */
export interface Held {
  webhookId: string;
  userId: string;
  lease: string;
}

/** The first delivery of a queue, and where it goes. */
export interface Claimed extends Held {
  eventId: string;
  kind: AnnouncementKind;
  payload: AnnouncementPayload;
  /** Attempts that failed since it was queued. */
  tries: number;
  createdAt: Instant;
  projectId: string;
  url: string;
  secrets: Secrets;
}

/** Active webhooks that have something to be delivered, and whether the last attempt there failed. */
export async function dueWebhooks(db: Queryable, now: Instant): Promise<{ id: string; failing: boolean }[]> {
  const { rows } = await db.query({
    name: 'due-webhooks',
    text: `select w.id, w.failures > 0 as failing from webhooks w
      where w.status = 'active' and w.archived_at is null
        and exists (select from webhook_queues q where q.webhook_id = w.id and q.due_at <= $1)`,
    values: [instantText(now)],
  });
  return rows;
}

/** When the next delivery is due, or the next change that is held; null: there is none. */
export async function nextDelivery(db: Queryable): Promise<Instant | null> {
  const { rows } = await db.query({
    name: 'next-delivery',
    text: `select (extract(epoch from least(
        (select min(q.due_at) from webhooks w
          cross join lateral (select due_at from webhook_queues where webhook_id = w.id order by due_at limit 1) q
          where w.status = 'active' and w.archived_at is null),
        (select min(until) from webhook_holds where event_id is not null))) * 1000)::bigint as due`,
  });
  return rows[0].due === null ? null : Number(rows[0].due);
}

/** Whether something was to be told at this instant, or announced before it, and nobody has seen to it. */
export async function isOverdue(db: Queryable, at: Instant): Promise<boolean> {
  const { rows } = await db.query({
    name: 'announced-before',
    text: 'select exists (select from outbox where created_at < $1) as announced',
    values: [instantText(at)],
  });
  return rows[0].announced || ((await nextDelivery(db)) ?? at) < at;
}

/** Claims at most so many queues of a webhook that are due; gives the first delivery of each. */
export async function claim(
  db: Queryable,
  webhookId: string,
  { limit, lease, now }: { limit: number; lease: string; now: Instant },
): Promise<Claimed[]> {
  const queues = await db.query({
    name: 'claim-deliveries',
    text: `with due as (
        select q.user_id from webhook_queues q join webhooks w on w.id = q.webhook_id
        where q.webhook_id = $1 and q.due_at <= $2 and w.status = 'active' and w.archived_at is null
        order by q.due_at limit $3 for update of q skip locked
      )
      update webhook_queues q set lease = $4, due_at = $5 from due
      where q.webhook_id = $1 and q.user_id = due.user_id returning q.user_id`,
    values: [webhookId, instantText(now), limit, lease, instantText(now + LEASE_MS)],
  });
  if (queues.rows.length === 0) return [];
  const { rows } = await db.query({
    name: 'claimed-deliveries',
    text: `select asked.user_id, d.event_id, d.kind, d.payload, d.tries, d.created_at,
        w.project_id, w.url, w.secret, case when w.previous_until > $3 then w.previous_secret end as previous
      from unnest($2::bigint[]) as asked (user_id) join webhooks w on w.id = $1
      left join lateral (
        select event_id, kind, payload, tries, created_at from webhook_deliveries
        where webhook_id = $1 and user_id = asked.user_id and status = 'pending' order by event_id limit 1
      ) d on true`,
    values: [webhookId, queues.rows.map((row) => row.user_id), instantText(now)],
  });
  const held = (row: { user_id: string }): Held => ({ webhookId, userId: row.user_id, lease });
  for (const row of rows) if (row.event_id === null) await dropQueue(db, held(row));
  return rows
    .filter((row) => row.event_id !== null)
    .map((row) => ({
      ...held(row),
      eventId: row.event_id,
      kind: row.kind,
      payload: row.payload,
      tries: row.tries,
      createdAt: row.created_at.getTime(),
      projectId: row.project_id,
      url: row.url,
      secrets: { secret: row.secret, previous: row.previous },
    }));
}

/** Gives a claim back, as if it had not been made. */
export async function release(db: Queryable, { webhookId, userId, lease }: Held, now: Instant): Promise<void> {
  await db.query({
    name: 'release-delivery',
    text: `update webhook_queues set lease = null, due_at = $4 where webhook_id = $1 and user_id = $2 and lease = $3`,
    values: [webhookId, userId, lease, instantText(now)],
  });
}

/** Removes a queue with nothing in it; what is put into it meanwhile keeps it. */
async function dropQueue(db: Queryable, { webhookId, userId, lease }: Held): Promise<void> {
  await db.query({
    name: 'drop-delivery-queue',
    text: 'delete from webhook_queues where webhook_id = $1 and user_id = $2 and lease = $3 and pending = 0',
    values: [webhookId, userId, lease],
  });
}
