import type { Declared } from '../../db/catalog.ts';
import { GuerdonError } from '../../errors.ts';
import { metricSumsBetween, totalsOf } from '../../ledger/metrics.ts';
import { findUser } from '../../ledger/users.ts';
import type { Call } from '../../rpc/call.ts';
import { userUnknown } from '../../rpc/lookup.ts';
import { periodsOf } from '../../rpc/periods.ts';
import { formatDecimal } from '../../rules/decimal.ts';
import { idOf } from '../ids.ts';
import { exactNumber } from '../json.ts';
import type { Answer, RestCall } from '../route.ts';
import { achievementShapes } from '../shapes/streak.ts';
import { type SummaryQuery, summaryRequest } from './summary.ts';

/** All metrics in force, also those that the user has no events of. */
export async function listUserMetrics({ call, path }: RestCall): Promise<Answer> {
  const user = await userOf(call, path.id as string);
  const { pool, catalog } = call.api.context;
  const totals = await totalsOf(pool, user.id);
  const { metrics } = await catalog.get(call.projectId);
  return { body: metrics.map((metric) => metricShape(metric, totals)) };
}

export async function getUserMetric({ call, path }: RestCall): Promise<Answer> {
  const user = await userOf(call, path.id as string);
  const metric = await metricOf(call, path.key as string);
  return { body: metricShape(metric, await totalsOf(call.api.context.pool, user.id)) };
}

export async function getMetricEventSummary({ call, path, query }: RestCall): Promise<Answer> {
  const { pool } = call.api.context;
  const user = await userOf(call, path.id as string);
  const metric = await metricOf(call, path.key as string);
  const { dates, edges } = await periodsOf(call, user.zones, summaryRequest(query as unknown as SummaryQuery));
  const [before = 0n, ...changes] = await metricSumsBetween(pool, user.id, metric.id, edges);
  let total = before;
  return {
    body: changes.map((change, position) => {
      total += change;
      return { date: dates[position], total: decimal(total), change: decimal(change) };
    }),
  };
}

const decimal = (value: bigint) => exactNumber(formatDecimal(value));

async function userOf(call: Call, id: string) {
  const user = await findUser(call.api.context.pool, call.projectId, id);
  if (user === undefined) throw userUnknown(id);
  return user;
}

async function metricOf(call: Call, key: string): Promise<Declared> {
  const { catalog } = call.api.context;
  const find = ({ metrics }: { metrics: readonly Declared[] }) => metrics.find((metric) => metric.key === key);
  const metric = find(await catalog.get(call.projectId)) ?? find(await catalog.fresh(call.projectId));
  if (metric === undefined) {
    throw new GuerdonError('NOT_FOUND', 'METRIC_UNKNOWN', `key: no metric ${JSON.stringify(key)}`);
  }
  return metric;
}

function metricShape({ id, key, name }: Declared, totals: ReadonlyMap<string, string>) {
  return {
    id: idOf('metric', id),
    key,
    name,
    status: 'active',
    current: exactNumber(totals.get(id) ?? '0'),
    achievements: achievementShapes(),
  };
}
