import { defineEntity, p } from '@mikro-orm/core';

export const TriggerCounter = defineEntity({
  name: 'TriggerCounter',
  tableName: 'trigger_counters',
  properties: {
    userId: p.bigint('string').primary(),
    triggerId: p.uuid().primary(),
    total: p.decimal('string').defaultRaw('0'),
    high: p.decimal('string').defaultRaw('0'),
  },
});
