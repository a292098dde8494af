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
    lastUsedAt: p.datetime(3).nullable(),
    /** From when on it is no longer taken. */
    expiresAt: p.datetime(3).nullable(),
    /** Prefix of the key that this one is the successor of. */
    replaces: p.text().nullable(),
    /** Requests in a window of so many seconds, 0 and 0: no limit; null: the default of the deployment. */
    rateRequests: p.integer().nullable(),
    rateSeconds: p.integer().nullable(),
  },
});

export type ApiKeyRecord = InferEntity<typeof ApiKey>;
