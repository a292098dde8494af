import { defineEntity, p } from '@mikro-orm/core';
import type { DecisionRecord } from '../../rules/record.ts';

export const Completion = defineEntity({
  name: 'Completion',
  tableName: 'completions',
  properties: {
    userId: p.bigint('string').primary(),
    achievementId: p.uuid().primary(),
    id: p.uuid(),
    byEvent: p.boolean(),
    at: p.datetime(3),
    createdAt: p.datetime(3),
    afterSeq: p.bigint('bigint'),
    programVersion: p.integer(),
    backdated: p.boolean(),
    decision: p.json<DecisionRecord>().nullable(),
  },
});
