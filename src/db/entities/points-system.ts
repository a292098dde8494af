import { defineEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const PointsSystem = defineEntity({
  name: 'PointsSystem',
  tableName: 'points_systems',
  properties: {
    id: p.bigint('string').primary(),
    project: () => p.manyToOne(Project),
    key: p.text(),
    createdAt: p.datetime(3),
  },
});
