import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import { askedFor, DEAD_AFTER_MS, DEAD_FAILURES, retryAt } from '../../webhooks/retry.ts';
import type { SendFailure } from '../../webhooks/send.ts';
import type { Claimed } from './claim.ts';

/** How one attempt went. */
export interface Attempt {
  at: Instant;
  durationMs: number;
  /** Null: it was taken. BUG: it could not be made. */
  error: SendFailure | 'BUG' | null;
  statusCode: number | null;
  answer: string;
  /** What the receiver says of when to call again; absent: nothing. */
  retryAfter?: string;
}

/** A receiver says with it that it wants to hear nothing more. */
const GONE = 410;

/**
 * Writes down how an attempt at the first delivery of a claimed queue went, in one statement: the attempt, what becomes of
 * the delivery, when the queue is due again, and how the webhook does. Does nothing where the claim has gone to another
 * worker, who delivers it too. `random` is uniform in [0, 1). Gives when the delivery is tried again; null: never.
 */
export async function settle(
  db: Queryable,
  claimed: Claimed,
  attempt: Attempt,
  { now, random }: { now: Instant; random: number },
): Promise<Instant | null> {
  const taken = attempt.error === null;
  const again = taken
    ? null
    : retryAt(claimed.tries + 1, now, random, askedFor(attempt.statusCode, attempt.retryAfter, now));
  const status = taken ? 'delivered' : again === null ? 'failed' : 'pending';
  const finished = status !== 'pending';
  const { rows } = await db.query({
    name: 'settle-delivery',
    text: SETTLE,
    values: [
      claimed.webhookId,
      claimed.userId,
      claimed.lease,
      claimed.eventId,
      finished ? 1 : 0,
      instantText(again ?? now),
      status,
      finished ? instantText(now) : null,
      instantText(attempt.at),
      attempt.durationMs,
      attempt.statusCode,
      attempt.error,
      attempt.answer,
      taken,
      // What is wrong here says nothing of the receiver.
      attempt.error !== 'BUG',
      attempt.statusCode === GONE,
      instantText(now - DEAD_AFTER_MS),
      DEAD_FAILURES,
      instantText(now),
    ],
  });
  if (rows[0]?.pending === 0) await dropEmpty(db, claimed);
  return again;
}

const SETTLE = `with held as (
    update webhook_queues set lease = null, pending = pending - $5::int, due_at = $6::timestamptz
    where webhook_id = $1 and user_id = $2 and lease = $3 returning pending
  ), delivery as (
    update webhook_deliveries d set status = $7, finished_at = $8::timestamptz, tries = d.tries + 1
    from held where d.webhook_id = $1 and d.event_id = $4
  ), attempt as (
    insert into webhook_attempts (webhook_id, event_id, at, duration_ms, status_code, error, answer)
    select $1, $4, $9::timestamptz, $10::int, $11::int, $12::text, $13::text from held
  ), webhook as (
    select w.id, case when $14::boolean then 0 else w.failures + 1 end as failures,
      case when $14 then null else coalesce(w.failing_since, $9::timestamptz) end as failing_since
    from webhooks w, held where w.id = $1 and $15::boolean and (w.failures > 0 or not $14) for no key update of w
  ), dead as (
    select id, case when $16::boolean then 'gone'
      when failures >= $18::int and failing_since <= $17::timestamptz then 'dead' end as reason from webhook
  ), health as (
    update webhooks w set failures = n.failures, failing_since = n.failing_since,
      status = case when d.reason is null or w.status = 'paused' then w.status else 'paused' end,
      paused_reason = case when w.status = 'paused' then w.paused_reason else d.reason end,
      paused_at = case when w.status = 'paused' then w.paused_at when d.reason is not null then $19::timestamptz end
    from webhook n join dead d using (id) where w.id = n.id
  )
  select pending from held`;

/** An empty queue goes, unless something was put into it meanwhile or another worker has claimed it. */
async function dropEmpty(db: Queryable, { webhookId, userId }: Claimed): Promise<void> {
  await db.query({
    name: 'drop-empty-queue',
    text: 'delete from webhook_queues where webhook_id = $1 and user_id = $2 and pending = 0 and lease is null',
    values: [webhookId, userId],
  });
}
