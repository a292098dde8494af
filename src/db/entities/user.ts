import { defineEntity, p } from '@mikro-orm/core';
import type { Attributes, ZonePeriod } from '../../rules/types.ts';
import { Project } from './project.ts';

export const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    externalId: p.text(),
    name: p.text().nullable(),
    email: p.text().nullable(),
    zones: p.json<ZonePeriod[]>(),
    attributes: p.json<Attributes>(),
    deviceTokens: p.json<string[]>().nullable(),
    seq: p.bigint('bigint').defaultRaw('0'),
    eventHash: p.blob().nullable(),
    createdAt: p.datetime(3).nullable(),
    updatedAt: p.datetime(3),
  },
});
