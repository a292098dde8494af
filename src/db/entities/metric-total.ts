import { defineEntity, p } from '@mikro-orm/core';
import { Metric } from './metric.ts';

export const MetricTotal = defineEntity({
  name: 'MetricTotal',
  tableName: 'metric_totals',
  properties: {
    userId: p.bigint('string').primary(),
    metric: () => p.manyToOne(Metric).primary(),
    total: p.decimal('string').defaultRaw('0'),
    high: p.decimal('string').defaultRaw('0'),
  },
});
