import { exportEconomy } from '../../commands/change-economy.ts';
import { GuerdonError } from '../../errors.ts';
import { AdminService, type MetricInput, UnitType } from '../../gen/guerdon/v1/admin_service_pb.ts';
import type { EconomyMetric } from '../../program/economy.ts';
import { itemRoute, route } from '../call.ts';
import { KEY_CURSOR, pageOf } from '../page.ts';
import { archival, change, creation, edited, field, type NounFields, type Place } from './edits.ts';

const PLACE: Place = { kind: 'metric', system: null };
const FIELDS: NounFields<MetricInput> = {
  name: field('name', ({ name }) => name, ''),
  unit_type: {
    isPresent: ({ unitType }) => unitType !== UnitType.UNSPECIFIED,
    read: ({ unitType }) => ({ unitType: unitType === UnitType.CURRENCY ? 'currency' : 'number' }),
  },
  units: field('units', ({ units }) => units, ''),
};

export const createMetrics = itemRoute(AdminService.method.createMetrics, 'admin', 'metrics', async (call, request) => {
  const { done, issues, economy } = await edited(call, request.metrics, (input) => creation(PLACE, FIELDS, input));
  return { created: done.map(({ key }) => find(economy.metrics, key)), issues };
});

export const updateMetrics = itemRoute(AdminService.method.updateMetrics, 'admin', 'updates', async (call, request) => {
  const { done, issues, economy } = await edited(
    call,
    request.updates,
    ({ metric, updateMask }) => change(PLACE, FIELDS, metric as MetricInput, updateMask),
    { within: 'metric' },
  );
  return { updated: done.map(({ key }) => find(economy.metrics, key)), issues };
});

export const archiveMetrics = itemRoute(AdminService.method.archiveMetrics, 'admin', 'keys', async (call, request) => {
  const { done, issues } = await edited(call, request.keys, (key) => archival(PLACE, key), request);
  return { archived: done.map(({ key }) => key), issues };
});

export const listMetrics = route(AdminService.method.listMetrics, 'admin', async (call, request) => {
  const { economy } = await exportEconomy(call.api.context.orm, call.projectId);
  const { page, nextPageToken } = pageOf('metrics', request, economy.metrics, ({ key }) => key, KEY_CURSOR);
  return { metrics: page.map(metricMessage), nextPageToken };
});

export const getMetric = route(AdminService.method.getMetric, 'admin', async (call, { key }) => {
  const { economy } = await exportEconomy(call.api.context.orm, call.projectId);
  return { metric: find(economy.metrics, key) };
});

function find(list: readonly EconomyMetric[], key: string) {
  const found = list.find((item) => item.key === key);
  if (found === undefined)
    throw new GuerdonError('NOT_FOUND', 'METRIC_UNKNOWN', `key: no metric ${JSON.stringify(key)}`);
  return metricMessage(found);
}

function metricMessage({ key, name, unitType, units }: EconomyMetric) {
  return { key, name, unitType: unitType === 'currency' ? UnitType.CURRENCY : UnitType.NUMBER, units };
}
