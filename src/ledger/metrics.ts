import { instantText, type Queryable } from '../db/pool.ts';
import type { Decimal } from '../rules/decimal.ts';
import type { Instant } from '../rules/types.ts';
import { shortest } from './events.ts';

/** The running totals of a user, decimals in their shortest form, by metric id; metrics without an event are absent. */
export async function totalsOf(db: Queryable, userId: string): Promise<Map<string, string>> {
  const { rows } = await db.query({
    name: 'totals-of',
    text: 'select metric_id, total from metric_totals where user_id = $1',
    values: [userId],
  });
  return new Map(rows.map((row) => [row.metric_id, shortest(row.total)]));
}

/**
 * What was added to a metric between instants, by when it happened: the first sum is that of all time before the first
 * edge, each other one of the time between two edges. Edges ascend.
 */
export async function metricSumsBetween(
  db: Queryable,
  userId: string,
  metricId: string,
  edges: readonly Instant[],
): Promise<Decimal[]> {
  const { rows } = await db.query({
    name: 'metric-sums-between',
    text: `select width_bucket(occurred_at, $3::timestamptz[]) as bucket,
        trunc(sum(value) * 1000000000)::text as sum
      from events where user_id = $1 and metric_id = $2 group by 1`,
    values: [userId, metricId, edges.map(instantText)],
  });
  const sums = new Map(rows.map((row) => [Number(row.bucket), BigInt(row.sum)]));
  return edges.map((_, bucket) => sums.get(bucket) ?? 0n);
}
