import { defineEntity, p } from '@mikro-orm/core';

export const ImportPart = defineEntity({
  name: 'ImportPart',
  tableName: 'import_parts',
  properties: {
    importId: p.uuid().primary(),
    part: p.smallint().primary(),
    lastPlace: p.bigint('string'),
    throughPlace: p.bigint('string'),
    applied: p.bigint('string'),
    duplicate: p.bigint('string'),
    refused: p.bigint('string'),
    claimedBy: p.text().nullable(),
    claimedUntil: p.datetime(3).nullable(),
  },
});
