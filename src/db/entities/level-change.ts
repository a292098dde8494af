import { defineEntity, p } from '@mikro-orm/core';

export const LevelChange = defineEntity({
  name: 'LevelChange',
  tableName: 'level_changes',
  properties: {
    userId: p.bigint('string').primary(),
    systemId: p.bigint('string').primary(),
    version: p.bigint('bigint').primary(),
    levelBefore: p.text().nullable(),
    levelAfter: p.text().nullable(),
    createdAt: p.datetime(3),
  },
});
