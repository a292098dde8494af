import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const Metric = defineEntity({
  name: 'Metric',
  tableName: 'metrics',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    key: p.text(),
    name: p.text(),
    unitType: p.text().$type<'number' | 'currency'>(),
    units: p.text(),
    createdAt: p.datetime(3),
    archivedAt: p.datetime(3).nullable(),
  },
});

export type MetricRecord = InferEntity<typeof Metric>;
