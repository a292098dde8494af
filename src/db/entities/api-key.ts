import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    prefix: p.text(),
    hash: p.blob(),
    kind: p.text().$type<'owner' | 'admin' | 'application'>(),
    name: p.text(),
    /** The app's own id of the user that an application key is bound to. */
    userId: p.text().nullable(),
    createdAt: p.datetime(3),
    revokedAt: p.datetime(3).nullable(),
  },
});

export type ApiKeyRecord = InferEntity<typeof ApiKey>;
