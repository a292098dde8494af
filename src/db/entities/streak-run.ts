import { defineEntity, p } from '@mikro-orm/core';
import type { Frequency } from '../../rules/types.ts';

export const StreakRun = defineEntity({
  name: 'StreakRun',
  tableName: 'streak_runs',
  properties: {
    userId: p.bigint('string').primary(),
    frequency: p.text().$type<Frequency>().primary(),
    firstPeriod: p.integer().primary(),
    lastPeriod: p.integer().nullable(),
    /** When it is over, and its loss told; null: that is done, or it was over when it was written. */
    dueAt: p.datetime(3).nullable(),
    /** When something was first done in its last period; null: it is not known. */
    extendedAt: p.datetime(3).nullable(),
  },
});
