import { defineEntity, p } from '@mikro-orm/core';

export const Outbox = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('string').primary(),
    projectId: p.bigint('string'),
    userId: p.bigint('string'),
    kind: p.text().$type<'level_changed'>(),
    payload: p.json<Record<string, string | null>>(),
    createdAt: p.datetime(3),
  },
});
