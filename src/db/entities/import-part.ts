import { defineEntity, p } from '@mikro-orm/core';

export const ImportPart = defineEntity({
  name: 'ImportPart',
  tableName: 'import_parts',
  properties: {
    importId: p.uuid().primary(),
    part: p.smallint().primary(),
    lastLine: p.bigint('string'),
    throughLine: p.bigint('string'),
    applied: p.bigint('string'),
    duplicate: p.bigint('string'),
    refused: p.bigint('string'),
    claimedBy: p.text().nullable(),
    claimedUntil: p.datetime(3).nullable(),
  },
});
