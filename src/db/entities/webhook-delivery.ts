import { defineEntity, p } from '@mikro-orm/core';
import type { AnnouncementKind, AnnouncementPayload } from './outbox.ts';

export const WebhookDelivery = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_deliveries',
  properties: {
    webhookId: p.uuid().primary(),
    eventId: p.bigint('string').primary(),
    /** Whose deliveries keep their order; 0: of nobody. */
    userId: p.bigint('string'),
    kind: p.text().$type<AnnouncementKind>(),
    payload: p.json<AnnouncementPayload>(),
    causeKey: p.text().nullable(),
    status: p.text().$type<'pending' | 'delivered' | 'failed'>(),
    /** Attempts since it was queued. */
    tries: p.integer().defaultRaw('0'),
    createdAt: p.datetime(3),
    finishedAt: p.datetime(3).nullable(),
  },
});
