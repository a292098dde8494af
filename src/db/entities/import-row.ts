import { defineEntity, p } from '@mikro-orm/core';

export const ImportRow = defineEntity({
  name: 'ImportRow',
  tableName: 'import_rows',
  properties: {
    importId: p.uuid().primary(),
    part: p.smallint().primary(),
    line: p.bigint('string').primary(),
    id: p.uuid(),
    event: p.json<object>(),
  },
});
