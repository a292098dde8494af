import { defineEntity, p } from '@mikro-orm/core';
import type { ProgramSnapshot } from '../../rules/program.ts';
import { Project } from './project.ts';

export const Program = defineEntity({
  name: 'Program',
  tableName: 'programs',
  properties: {
    project: () => p.manyToOne(Project).primary(),
    version: p.integer().primary(),
    era: p.integer(),
    snapshot: p.json<ProgramSnapshot>(),
    createdAt: p.datetime(3),
  },
});
