import { idOf } from '../../contract-ids.ts';
import type { DeclaredMetric } from '../../db/catalog.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, UnitType } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { createdAnswer, deletedAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';

const UNIT_TYPE = { number: UnitType.NUMBER, currency: UnitType.CURRENCY };

interface Unit {
  unitType?: keyof typeof UNIT_TYPE;
  units?: string;
}
type NewMetric = Unit & { name: string; key: string };
type ChangedMetric = Unit & { id: string; name?: string };

export async function listMetrics({ call, query }: RestCall): Promise<Answer> {
  return { body: pageOf(await metricsOf(call), query).map(metricShape) };
}

export async function getMetric({ call, path }: RestCall): Promise<Answer> {
  const metric = (await metricsOf(call)).find(byId(path.id as string));
  if (metric === undefined) throw new GuerdonError('NOT_FOUND', 'METRIC_UNKNOWN', 'Metric not found by ID');
  return { body: metricShape(metric) };
}

export async function createMetrics({ call, body: { items, issues } }: RestCall<Items<NewMetric>>): Promise<Answer> {
  if (items.length === 0) return createdAnswer([], issues);
  const metrics = items.map(({ value: { key, name, ...unit } }) => ({ key, name, ...unitOf(unit) }));
  const made = await rpc(call, AdminService.method.createMetrics, { metrics });
  const all = await metricsOf(call);
  const created = made.created.flatMap(({ key }) => all.find((metric) => metric.key === key) ?? []);
  return createdAnswer(created.map(metricShape), [...issues, ...issuesOf(made.issues, items)]);
}

export async function updateMetrics({ call, body }: RestCall<Items<ChangedMetric>>): Promise<Answer> {
  const metrics = await metricsOf(call);
  const items = found(body, (id) => metrics.find(byId(id)), 'Metric');
  if (items.length === 0) return updatedAnswer([], body.issues);
  const updates = items.map(({ value: { name, ...unit }, found: { key } }) => ({
    metric: { key, ...(name !== undefined && { name }), ...unitOf(unit) },
  }));
  const done = await rpc(call, AdminService.method.updateMetrics, { updates });
  const all = await metricsOf(call);
  const updated = done.updated.flatMap(({ key }) => all.find((metric) => metric.key === key) ?? []);
  const issues = [...body.issues, ...issuesOf(done.issues, items, 'metric')];
  return updatedAnswer(updated.map(metricShape), issues);
}

export async function deleteMetrics({ call, query }: RestCall): Promise<Answer> {
  const metrics = await metricsOf(call);
  const { ids, issues } = foundIds(query, (id) => metrics.find(byId(id)), 'Metric');
  if (ids.length === 0) return deletedAnswer([], [], issues);
  const keys = ids.map(({ found: { key } }) => key);
  const done = await rpc(call, AdminService.method.archiveMetrics, { keys, allowStranding: true });
  const items = ids.map((value, index) => ({ index, value }));
  return deletedAnswer(ids, done.archived, [...issues, ...issuesOf(done.issues, items)]);
}

/** In the order in which they were made. */
async function metricsOf(call: Call): Promise<readonly DeclaredMetric[]> {
  return (await call.api.context.catalog.fresh(call.projectId)).metrics;
}

const byId = (id: string) => (metric: DeclaredMetric) => idOf('metric', metric.id) === id.toLowerCase();

function unitOf({ unitType, units }: Unit) {
  return { ...(unitType !== undefined && { unitType: UNIT_TYPE[unitType] }), ...(units !== undefined && { units }) };
}

function metricShape({ id, key, name, unitType, units }: DeclaredMetric) {
  return { id: idOf('metric', id), name, key, unitType, units };
}
