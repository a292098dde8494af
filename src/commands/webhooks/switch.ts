import type { WebhookRecord } from '../../db/entities/webhook.ts';
import { type Orm, transact } from '../../db/orm.ts';
import { instantText } from '../../db/pool.ts';
import { fieldChanges } from '../../program/diff.ts';
import { newSecret, OVERLAP_MS } from '../../webhooks/signature.ts';
import { type Author, audit, type Em } from '../next-program.ts';
import { lockWebhook } from './endpoints.ts';

// Each of these gives null for a webhook that is unknown or archived.

/** Stops deliveries; what is to be told gathers. */
export async function pauseWebhook(orm: Orm, author: Author, id: string): Promise<WebhookRecord | null> {
  return transact(orm, (em) =>
    change(em, author, id, (record) => {
      if (record.status === 'paused') return;
      Object.assign(record, { status: 'paused', pausedReason: 'asked', pausedAt: new Date(author.now) });
    }),
  );
}

/** Goes on with deliveries: all that has gathered is due at once, as if it had never been tried. */
export async function resumeWebhook(orm: Orm, author: Author, id: string): Promise<WebhookRecord | null> {
  return transact(orm, async (em) => {
    // Queues before the webhook: the order in which attempts are written down.
    await em.execute(
      `with those as (
        select q.webhook_id, q.user_id from webhook_queues q join webhooks w on w.id = q.webhook_id
        where w.id = ? and w.project_id = ? and w.status = 'paused' and q.lease is null order by 1, 2 for update of q
      )
      update webhook_queues q set due_at = ?::timestamptz from those
      where q.webhook_id = those.webhook_id and q.user_id = those.user_id`,
      [id, author.projectId, instantText(author.now)],
    );
    await em.execute(
      `update webhook_deliveries d set tries = 0 from webhooks w
      where w.id = ? and w.project_id = ? and w.status = 'paused'
        and d.webhook_id = w.id and d.status = 'pending' and d.tries > 0`,
      [id, author.projectId],
    );
    return change(em, author, id, (record) => {
      const well = { failures: 0, failingSince: null, pausedReason: null, pausedAt: null };
      if (record.status === 'paused') Object.assign(record, { status: 'active', ...well });
    });
  });
}

/** Gives a webhook another secret; the one before signs too for a while, unless it is to end at once. */
export async function rotateSecret(
  orm: Orm,
  author: Author,
  id: string,
  { atOnce }: { atOnce: boolean },
): Promise<WebhookRecord | null> {
  return transact(orm, (em) =>
    change(em, author, id, (record) => {
      const previous = atOnce
        ? { previousSecret: null, previousUntil: null }
        : { previousSecret: record.secret, previousUntil: new Date(author.now + OVERLAP_MS) };
      Object.assign(record, { ...previous, secret: newSecret() });
    }),
  );
}

async function change(
  em: Em,
  author: Author,
  id: string,
  edit: (record: WebhookRecord) => void,
): Promise<WebhookRecord | null> {
  const record = await lockWebhook(em, author.projectId, id);
  if (record === null || record.archivedAt != null) return null;
  const before = { ...record };
  edit(record);
  const fields = fieldChanges({ status: before.status }, { status: record.status });
  if (record.secret !== before.secret) fields.push({ field: 'secret', before: null, after: 'another' });
  if (fields.length > 0) {
    record.updatedAt = new Date(author.now);
    audit(em, author, { action: 'update', kind: 'webhook', key: id, fields }, null);
  }
  await em.flush();
  return record;
}
