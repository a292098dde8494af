import { defineEntity, p } from '@mikro-orm/core';
import { Project } from './project.ts';

export const Inbox = defineEntity({
  name: 'Inbox',
  tableName: 'inbox',
  properties: {
    id: p.uuid().primary(),
    project: () => p.manyToOne(Project),
    command: p.json<object>(),
    acceptedAt: p.datetime(3),
    queuedAt: p.datetime(3),
  },
});
