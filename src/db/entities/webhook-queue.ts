import { defineEntity, p } from '@mikro-orm/core';

/** All that a webhook is to be told of one user, in order: who holds it delivers. */
export const WebhookQueue = defineEntity({
  name: 'WebhookQueue',
  tableName: 'webhook_queues',
  properties: {
    webhookId: p.uuid().primary(),
    userId: p.bigint('string').primary(),
    pending: p.integer(),
    dueAt: p.datetime(3),
    lease: p.uuid().nullable(),
  },
});
