import { defineEntity, p } from '@mikro-orm/core';
import type { RefusalCode } from '../../rules/decision.ts';
import type { Attributes } from '../../rules/types.ts';

export const Refusal = defineEntity({
  name: 'Refusal',
  tableName: 'refusals',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid().primary(),
    kind: p.text().$type<'event' | 'spend' | 'adjust' | 'user'>(),
    metricId: p.bigint('string').nullable(),
    systemId: p.bigint('string').nullable(),
    keyed: p.boolean(),
    key: p.text(),
    value: p.decimal('string'),
    attributes: p.json<Attributes>(),
    occurredAt: p.datetime(3),
    receivedAt: p.datetime(3),
    createdAt: p.datetime(3),
    programVersion: p.integer(),
    code: p.text().$type<RefusalCode>(),
    detail: p.json<Record<string, string>>(),
  },
});
