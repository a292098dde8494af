import { defineEntity, p } from '@mikro-orm/core';
import type { DecisionRecord } from '../../rules/record.ts';
import type { Attributes } from '../../rules/types.ts';

export const Event = defineEntity({
  name: 'Event',
  tableName: 'events',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid().primary(),
    seq: p.bigint('bigint'),
    metricId: p.bigint('string'),
    keyed: p.boolean(),
    key: p.text(),
    value: p.decimal('string'),
    attributes: p.json<Attributes>(),
    occurredAt: p.datetime(3),
    occurredAtSent: p.boolean(),
    receivedAt: p.datetime(3),
    createdAt: p.datetime(3),
    totalBefore: p.decimal('string'),
    totalAfter: p.decimal('string'),
    highBefore: p.decimal('string'),
    highAfter: p.decimal('string'),
    programVersion: p.integer(),
    decision: p.json<DecisionRecord>(),
    hashVersion: p.smallint(),
    hash: p.blob(),
  },
});
