import { defineEntity, p } from '@mikro-orm/core';
import type { BoostStatus } from '../../rules/boost-schedule.ts';
import type { AttributeFilter, Rounding } from '../../rules/types.ts';
import { PointsSystem } from './points-system.ts';
import { Project } from './project.ts';

export const GlobalBoost = defineEntity({
  name: 'GlobalBoost',
  tableName: 'global_boosts',
  properties: {
    project: () => p.manyToOne(Project).primary(),
    id: p.uuid().primary(),
    system: () => p.manyToOne(PointsSystem),
    name: p.text(),
    multiplier: p.decimal('string'),
    rounding: p.text().$type<Rounding>(),
    exclusive: p.boolean(),
    userAttributes: p.json<readonly AttributeFilter[]>(),
    startTime: p.datetime(3).nullable(),
    endTime: p.datetime(3).nullable(),
    startDate: p.date().nullable(),
    endDate: p.date().nullable(),
    zone: p.text().$type<'user' | 'project'>().nullable(),
    status: p.text().$type<BoostStatus>(),
    startsAt: p.datetime(3),
    endsAt: p.datetime(3).nullable(),
    dueAt: p.datetime(3).nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    archivedAt: p.datetime(3).nullable(),
  },
});
