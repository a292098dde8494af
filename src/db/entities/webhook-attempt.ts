import { defineEntity, p } from '@mikro-orm/core';

export const WebhookAttempt = defineEntity({
  name: 'WebhookAttempt',
  tableName: 'webhook_attempts',
  properties: {
    webhookId: p.uuid().primary(),
    eventId: p.bigint('string').primary(),
    id: p.bigint('string').primary().autoincrement(),
    at: p.datetime(3),
    durationMs: p.integer(),
    statusCode: p.integer().nullable(),
    error: p.text().nullable(),
    /** How the body of the answer began. */
    answer: p.text(),
  },
});
