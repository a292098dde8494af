import { defineEntity, p } from '@mikro-orm/core';
import type { AnnouncementPayload } from './outbox.ts';

/** Changes of points that are told together, when the interval of the webhook is over. */
export const WebhookHold = defineEntity({
  name: 'WebhookHold',
  tableName: 'webhook_holds',
  properties: {
    webhookId: p.uuid().primary(),
    userId: p.bigint('string').primary(),
    systemId: p.bigint('string').primary(),
    until: p.datetime(3),
    eventId: p.bigint('string').nullable(),
    payload: p.json<AnnouncementPayload>().nullable(),
    createdAt: p.datetime(3).nullable(),
  },
});
