import { defineEntity, p } from '@mikro-orm/core';

export const ClockWalk = defineEntity({
  name: 'ClockWalk',
  tableName: 'clock_walks',
  properties: {
    projectId: p.bigint('string').primary(),
    era: p.integer(),
    afterUser: p.bigint('string').default('0'),
    done: p.boolean().default(false),
  },
});
