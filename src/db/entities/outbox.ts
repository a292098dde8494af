import { defineEntity, p } from '@mikro-orm/core';

export const Outbox = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('string').primary(),
    projectId: p.bigint('string'),
    userId: p.bigint('string').nullable(),
    kind: p.text().$type<'level_changed' | 'boost_started' | 'boost_finished'>(),
    payload: p.json<Record<string, string | null>>(),
    /** Names what happened, where it can be told only once. */
    causeKey: p.text().nullable(),
    createdAt: p.datetime(3),
  },
});
