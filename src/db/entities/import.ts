import { defineEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const Import = defineEntity({
  name: 'Import',
  tableName: 'imports',
  properties: {
    id: p.uuid().primary(),
    project: () => p.manyToOne(Project),
    name: p.text(),
    format: p.text().$type<'events' | 'ndjson' | 'csv'>(),
    dryRun: p.boolean(),
    retryOf: p.uuid().nullable(),
    actor: p.text(),
    state: p.text().$type<'receiving' | 'applying' | 'done' | 'cancelled' | 'failed'>(),
    error: p.text().nullable(),
    rows: p.bigint('string'),
    invalid: p.bigint('string'),
    lastLine: p.bigint('string'),
    hash: p.blob(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    receivedAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
  },
});
