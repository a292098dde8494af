import { defineEntity, p } from '@mikro-orm/core';
import type { SettlementRecord } from '../../rules/settlement-record.ts';

export const Settlement = defineEntity({
  name: 'Settlement',
  tableName: 'settlements',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid().primary(),
    until: p.datetime(3),
    createdAt: p.datetime(3),
    afterSeq: p.bigint('bigint'),
    programVersion: p.integer(),
    record: p.json<SettlementRecord>(),
  },
});
