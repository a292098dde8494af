import { defineEntity, p } from '@mikro-orm/core';

export const Clock = defineEntity({
  name: 'Clock',
  tableName: 'clocks',
  properties: {
    userId: p.bigint('string').primary(),
    systemId: p.bigint('string').primary(),
    settledAt: p.datetime(3),
    running: p.json<Record<string, number | null>>(),
    dueAt: p.datetime(3).nullable(),
  },
});
