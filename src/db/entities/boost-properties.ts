import { p } from '@mikro-orm/core';
import type { BoostStatus } from '../../rules/boost-schedule.ts';
import type { Rounding } from '../../rules/types.ts';
import { PointsSystem } from './points-system.ts';

/** What boosts of one user and of all users have in common. */
export const boostProperties = {
  id: p.uuid().primary(),
  system: () => p.manyToOne(PointsSystem),
  name: p.text(),
  multiplier: p.decimal('string'),
  rounding: p.text().$type<Rounding>(),
  exclusive: p.boolean(),
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
};
