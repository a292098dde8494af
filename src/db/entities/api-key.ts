import { defineEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    prefix: p.text(),
    hash: p.blob(),
    kind: p.text().$type<'admin'>(),
    name: p.text(),
    createdAt: p.datetime(3),
    revokedAt: p.datetime(3).nullable(),
  },
});
