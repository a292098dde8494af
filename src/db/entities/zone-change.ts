import { defineEntity, p } from '@mikro-orm/core';

export const ZoneChange = defineEntity({
  name: 'ZoneChange',
  tableName: 'zone_changes',
  properties: {
    id: p.bigint('string').primary(),
    projectId: p.bigint('string'),
    userId: p.bigint('string').nullable(),
  },
});
