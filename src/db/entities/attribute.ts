import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const Attribute = defineEntity({
  name: 'Attribute',
  tableName: 'attributes',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    kind: p.text().$type<'user' | 'event'>(),
    key: p.text(),
    name: p.text(),
    createdAt: p.datetime(3),
    archivedAt: p.datetime(3).nullable(),
  },
});

export type AttributeRecord = InferEntity<typeof Attribute>;
