import { defineEntity, p } from '@mikro-orm/core';
import type { FieldChange } from '../../program/diff.ts';
import { Project } from './project.ts';

export const Audit = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    project: () => p.manyToOne(Project).primary(),
    id: p.bigint('string').primary().autoincrement(),
    at: p.datetime(3),
    actor: p.text(),
    action: p.text().$type<'create' | 'update' | 'archive'>(),
    kind: p.text(),
    key: p.text(),
    fields: p.json<readonly FieldChange[]>(),
    programVersion: p.integer().nullable(),
    userId: p.bigint('string').nullable(),
  },
});
