import { defineEntity, p } from '@mikro-orm/core';
import type { RewardsRecord } from '../../rules/record.ts';
import { PointsSystem } from './points-system.ts';

export const Command = defineEntity({
  name: 'Command',
  tableName: 'commands',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid().primary(),
    kind: p.text().$type<'spend' | 'adjust'>(),
    system: () => p.manyToOne(PointsSystem),
    key: p.text(),
    amount: p.bigint('bigint'),
    reason: p.text(),
    receivedAt: p.datetime(3),
    createdAt: p.datetime(3),
    programVersion: p.integer(),
    afterSeq: p.bigint('bigint'),
    entryVersion: p.bigint('bigint'),
    levelBefore: p.text().nullable(),
    levelAfter: p.text().nullable(),
    decision: p.json<RewardsRecord>().nullable(),
  },
});
