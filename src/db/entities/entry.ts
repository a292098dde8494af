import { defineEntity, p } from '@mikro-orm/core';

export const Entry = defineEntity({
  name: 'Entry',
  tableName: 'entries',
  properties: {
    userId: p.bigint('string').primary(),
    systemId: p.bigint('string').primary(),
    version: p.bigint('bigint').primary(),
    kind: p.text().$type<'award' | 'spend' | 'adjust' | 'expire' | 'reverse' | 'reward' | 'import'>(),
    amount: p.bigint('bigint'),
    balanceAfter: p.bigint('bigint'),
    /** Of an import: all that was ever earned elsewhere. */
    earned: p.bigint('bigint').nullable(),
    causeKey: p.text(),
    eventId: p.uuid().nullable(),
    triggerId: p.uuid().nullable(),
    commandId: p.uuid().nullable(),
    reverses: p.bigint('bigint').nullable(),
    occurredAt: p.datetime(3),
    createdAt: p.datetime(3),
    hashVersion: p.smallint(),
    hash: p.blob(),
  },
});
