import { defineEntity, p } from '@mikro-orm/core';

export const TriggerUsage = defineEntity({
  name: 'TriggerUsage',
  tableName: 'trigger_usage',
  properties: {
    userId: p.bigint('string').primary(),
    triggerId: p.uuid().primary(),
    slot: p.text().primary(),
    awards: p.bigint('bigint'),
    points: p.bigint('bigint'),
    at: p.datetime(3),
  },
});
