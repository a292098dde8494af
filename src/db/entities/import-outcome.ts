import { defineEntity, p } from '@mikro-orm/core';

export const ImportOutcome = defineEntity({
  name: 'ImportOutcome',
  tableName: 'import_outcomes',
  properties: {
    importId: p.uuid().primary(),
    line: p.bigint('string').primary(),
    part: p.smallint().nullable(),
    outcome: p.text().$type<'duplicate' | 'refused'>(),
    eventId: p.uuid().nullable(),
    code: p.text().nullable(),
    detail: p.json<object>().nullable(),
    source: p.text().nullable(),
  },
});
