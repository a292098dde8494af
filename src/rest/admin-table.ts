import * as applicationKeys from './admin/application-keys.ts';
import * as attributes from './admin/attributes.ts';
import * as boosts from './admin/boosts.ts';
import { batchEvents } from './admin/events.ts';
import * as levels from './admin/levels.ts';
import * as metrics from './admin/metrics.ts';
import * as systems from './admin/points-systems.ts';
import * as triggers from './admin/triggers.ts';
import * as userBoosts from './admin/user-boosts.ts';
import type { Answer, Items, RestCall, RestRoute } from './route.ts';
import { type Params, rows } from './rows.ts';
import { integer, string } from './schemas/parts.ts';

const page: Params = {
  limit: { schema: { ...integer, minimum: 1, maximum: 100 } },
  skip: { schema: { ...integer, minimum: 0, maximum: 1_000_000_000 } },
};
const ids: Params = { ids: { schema: { type: 'array', items: string }, required: true, list: true } };
/** Of a call that checks them itself. */
const anyIds: Params = { ids: { schema: { type: 'array', items: string }, list: true } };
const { get, post, patch, remove, later } = rows;

type Bulk<T> = (call: RestCall<Items<T>>) => Promise<Answer>;

/** The five calls of a noun: names of schemas are made of its names. */
function noun<N, C>(
  path: string,
  [name, short]: [name: string, short: string],
  calls: {
    list: (call: RestCall) => Promise<Answer>;
    create: Bulk<N>;
    update: Bulk<C>;
    remove: (call: RestCall) => Promise<Answer>;
    get: (call: RestCall) => Promise<Answer>;
  },
): RestRoute[] {
  const body = (schema: string) => ({ schema, items: [1, 100] as const });
  const created = { 201: `Created${name}s`, 200: `Created${name}s` };
  return [
    get(path, 'admin', calls.list, 'A page of the list, the oldest first.', `${name}s`, page),
    post(
      path,
      'admin',
      body(`New${short}`),
      calls.create,
      'Makes what is right of the items; 200 if that is nothing.',
      created,
    ),
    patch(path, 'admin', body(`Changed${short}`), calls.update, 'Changes what is given of the items.', {
      200: `Updated${name}s`,
    }),
    remove(path, 'admin', calls.remove, 'Archives what the ids name.', { 200: 'Deleted' }, ids),
    get(`${path}/{id}`, 'admin', calls.get, 'One of them.', name),
  ];
}

/** The admin API. */
export const adminRoutes: readonly RestRoute[] = [
  ...noun('/attributes', ['AdminAttribute', 'Attribute'], {
    list: attributes.listAttributes,
    create: attributes.createAttributes,
    update: attributes.updateAttributes,
    remove: attributes.deleteAttributes,
    get: attributes.getAttribute,
  }),
  ...noun('/metrics', ['AdminMetric', 'Metric'], {
    list: metrics.listMetrics,
    create: metrics.createMetrics,
    update: metrics.updateMetrics,
    remove: metrics.deleteMetrics,
    get: metrics.getMetric,
  }),
  post('/metrics/events', 'admin', 'BatchEvents', batchEvents, 'Takes events, to be applied after the answer.', {
    202: 'AcceptedEvents',
  }),
  ...noun('/points', ['AdminPointsSystem', 'PointsSystem'], {
    list: systems.listPointsSystems,
    create: systems.createPointsSystems,
    update: systems.updatePointsSystems,
    remove: systems.deletePointsSystems,
    get: systems.getPointsSystem,
  }),
  ...noun('/points/{systemId}/boosts', ['AdminPointsBoost', 'Boost'], {
    list: boosts.listBoosts,
    create: boosts.createBoosts,
    update: boosts.updateBoosts,
    remove: boosts.deleteBoosts,
    get: boosts.getBoost,
  }),
  post('/points/boosts', 'admin', 'NewUserBoosts', userBoosts.createUserBoosts, 'Makes boosts of single users.', {
    201: 'CreatedAdminPointsBoosts',
    200: 'CreatedAdminPointsBoosts',
  }),
  remove('/points/boosts', 'admin', userBoosts.deleteUserBoosts, 'Archives boosts.', { 200: 'DeletedBoosts' }, anyIds),
  remove('/points/boosts/{id}', 'admin', userBoosts.deleteUserBoost, 'Archives a boost.', { 204: null }),
  ...noun('/points/{systemId}/levels', ['AdminPointsLevel', 'Level'], {
    list: levels.listLevels,
    create: levels.createLevels,
    update: levels.updateLevels,
    remove: levels.deleteLevels,
    get: levels.getLevel,
  }),
  ...noun('/points/{systemId}/triggers', ['AdminPointsTrigger', 'Trigger'], {
    list: triggers.listTriggers,
    create: triggers.createTriggers,
    update: triggers.updateTriggers,
    remove: triggers.deleteTriggers,
    get: triggers.getTrigger,
  }),
  post(
    '/application-api-keys',
    'admin',
    { schema: 'NewApplicationApiKey', items: [1, 100] },
    applicationKeys.createApplicationKeys,
    'Makes keys for the apps of single users.',
    { 201: 'CreatedApplicationApiKeys', 200: 'CreatedApplicationApiKeys' },
  ),
  remove(
    '/application-api-keys',
    'admin',
    applicationKeys.deleteApplicationKeys,
    'Ends keys for ever.',
    { 200: 'Deleted' },
    ids,
  ),
  ...(['GET', 'POST', 'PATCH', 'DELETE'] as const).flatMap((method) => [
    later(method, '/leaderboards', 'admin', 'Leaderboards'),
    later(method, '/tenants', 'admin', 'Tenants'),
  ]),
  later('GET', '/leaderboards/{id}', 'admin', 'Leaderboards'),
  later('GET', '/tenants/{id}', 'admin', 'Tenants'),
  later('POST', '/streaks/freezes', 'admin', 'Streak freezes'),
  later('POST', '/streaks/pauses', 'admin', 'Streak pauses'),
  later('DELETE', '/streaks/pauses', 'admin', 'Streak pauses'),
  later('POST', '/streaks/restore', 'admin', 'Streak restores'),
];
