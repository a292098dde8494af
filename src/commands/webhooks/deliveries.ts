import type { AnnouncementKind, AnnouncementPayload } from '../../db/entities/outbox.ts';
import { instantText } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import type { Em } from '../next-program.ts';

/** What a webhook is to be told. */
export interface Delivery {
  webhookId: string;
  /** Of the outbox row; what is told later has a higher one. */
  eventId: string;
  /** Internal id of the user it is about; 0: of nobody. */
  userId: string;
  kind: AnnouncementKind;
  payload: AnnouncementPayload;
  causeKey: string | null;
  createdAt: Instant;
}

/** Queues deliveries, each once, behind those of the same webhook and user. */
export async function queueDeliveries(em: Em, deliveries: readonly Delivery[], now: Instant): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map((delivery) => ({
    webhook_id: delivery.webhookId,
    event_id: delivery.eventId,
    user_id: delivery.userId,
    kind: delivery.kind,
    payload: delivery.payload,
    cause_key: delivery.causeKey,
    created_at: instantText(delivery.createdAt),
  }));
  await em.execute(
    `with made as (
      insert into webhook_deliveries (webhook_id, event_id, user_id, kind, payload, cause_key, status, created_at)
      select webhook_id, event_id, user_id, kind, payload, cause_key, 'pending', created_at
      from jsonb_populate_recordset(null::webhook_deliveries, ?::jsonb)
      on conflict do nothing returning webhook_id, user_id
    )
    ${ENQUEUE}
    from made group by 1, 2 order by 1, 2 ${BEHIND}`,
    [JSON.stringify(rows), instantText(now)],
  );
}

const ENQUEUE = `insert into webhook_queues as q (webhook_id, user_id, pending, due_at)
    select webhook_id, user_id, count(*), ?::timestamptz`;

/** An empty queue is due at once; one with something in it stays as it is. */
const BEHIND = `on conflict (webhook_id, user_id) do update set pending = q.pending + excluded.pending,
      due_at = case when q.pending = 0 then excluded.due_at else q.due_at end`;
