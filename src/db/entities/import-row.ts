import { defineEntity, p } from '@mikro-orm/core';

export const ImportRow = defineEntity({
  name: 'ImportRow',
  tableName: 'import_rows',
  properties: {
    importId: p.uuid().primary(),
    line: p.bigint('string').primary(),
    part: p.smallint(),
    place: p.bigint('string'),
    id: p.uuid(),
    event: p.json<object>(),
  },
});
