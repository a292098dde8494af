import { defineEntity, p } from '@mikro-orm/core';

export const LevelReward = defineEntity({
  name: 'LevelReward',
  tableName: 'level_rewards',
  properties: {
    userId: p.bigint('string').primary(),
    systemId: p.bigint('string').primary(),
    levelKey: p.text().primary(),
    createdAt: p.datetime(3),
  },
});
