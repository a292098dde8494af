import { defineEntity, p } from '@mikro-orm/core';

export const Poisoned = defineEntity({
  name: 'Poisoned',
  tableName: 'poisoned',
  properties: {
    id: p.uuid().primary(),
    projectId: p.bigint('string'),
    command: p.json<object>(),
    error: p.text(),
    createdAt: p.datetime(3),
  },
});
