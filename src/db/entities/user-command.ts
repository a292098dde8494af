import { defineEntity, p } from '@mikro-orm/core';
import type { DecisionRecord } from '../../rules/record.ts';

export const UserCommand = defineEntity({
  name: 'UserCommand',
  tableName: 'user_commands',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid().primary(),
    mode: p.text().$type<'create' | 'identify' | 'update'>(),
    created: p.boolean(),
    receivedAt: p.datetime(3),
    createdAt: p.datetime(3),
    programVersion: p.integer(),
    decision: p.json<DecisionRecord>().nullable(),
  },
});
