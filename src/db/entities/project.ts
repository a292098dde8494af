import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export const Project = defineEntity({
  name: 'Project',
  tableName: 'projects',
  properties: {
    id: p.bigint('string').primary(),
    key: p.text(),
    name: p.text(),
    timeZone: p.text(),
    keylessEvents: p.text().$type<'mark' | 'warn' | 'refuse'>().default('mark'),
    programVersion: p.integer().default(0),
    createdAt: p.datetime(3),
    archivedAt: p.datetime(3).nullable(),
  },
});

export type ProjectRecord = InferEntity<typeof Project>;
