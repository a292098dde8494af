import { defineEntity, p } from '@mikro-orm/core';
import { PointsSystem } from './points-system.ts';

export const Account = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    userId: p.bigint('string').primary(),
    system: () => p.manyToOne(PointsSystem).primary(),
    balance: p.bigint('bigint').defaultRaw('0'),
    earned: p.bigint('bigint').defaultRaw('0'),
    version: p.bigint('bigint').defaultRaw('0'),
    hash: p.blob().nullable(),
  },
});
