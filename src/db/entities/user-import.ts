import { defineEntity, p } from '@mikro-orm/core';

export const UserImport = defineEntity({
  name: 'UserImport',
  tableName: 'user_imports',
  properties: {
    userId: p.bigint('string').primary(),
    id: p.uuid(),
    content: p.json<object>(),
    receivedAt: p.datetime(3),
    createdAt: p.datetime(3),
    programVersion: p.integer(),
    hashVersion: p.smallint(),
    hash: p.blob(),
  },
});
