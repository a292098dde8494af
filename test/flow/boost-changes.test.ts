import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { advanceBoosts } from '../../src/commands/boosts/advance-boosts.ts';
import { resolveWindows } from '../../src/commands/boosts/resolve-windows.ts';
import { ApiKeyKind, AttributeType } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { BoostStatus, BoostZone } from '../../src/gen/guerdon/v1/types_pb.ts';
import { addBoosts, addUsers, announcements, forgetAnnouncements, listen } from '../support/boosts.ts';
import { clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

// Changes that meet: of boosts, of zones, of the program, at once and one after the other.

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
  await listen(guerdon.database);
});
afterAll(() => guerdon.close());
beforeEach(async () => {
  await forgetAnnouncements(guerdon.database);
  for (const table of ['user_boosts', 'global_boosts']) {
    await guerdon.database.pool.query(`delete from ${table}`);
  }
});

const zoneTo = (timeZone: string) =>
  guerdon.admin.updateProjects({ updates: [{ project: { key: 'demo', timeZone } }] });
const resolve = () => resolveWindows(guerdon.running.context.orm, Date.now());
const create = (systemKey: string, boost: object) =>
  guerdon.boosts.createBoosts({ systemKey, boosts: [{ name: 'b', multiplier: '2', ...boost }] });
const boostOf = async (id = '') => (await guerdon.boosts.getBoost({ id })).boost;

const kinds = async () => (await announcements(guerdon.database)).map(({ kind }) => kind);

/** Waits until so many statements wait for a lock. */
const waiting = (count: number) =>
  until(
    async () => {
      const { rows } = await guerdon.database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length === count;
    },
    { what: `${count} statements to wait` },
  );

it('a project’s zone that is changed behind a new boost: both are done', async () => {
  const holder = await guerdon.database.pool.connect();
  await holder.query(`begin; select from projects where key = 'demo' for no key update`);
  const created = create('xp', { start: '2040-01-01' });
  await waiting(1);
  const changed = zoneTo('Europe/Berlin');
  await waiting(2);
  await holder.query('commit');
  holder.release();
  expect((await created).created).toHaveLength(1);
  expect((await changed).updated).toMatchObject([{ timeZone: 'Europe/Berlin' }]);
  await zoneTo('UTC');
});

it('an update and a change of zones that lock the same boosts: both are done', async () => {
  const [user = ''] = await addUsers(guerdon.database, 1, 'UTC', 'locked');
  const days = { start: '2040-01-01', zone: BoostZone.PROJECT };
  const ids = ['1', '2', '3'].map((digit) => `10000000-0000-4000-8000-00000000000${digit}`);
  for (const [index, id] of ids.entries()) await create('xp', { id, ...days, ...(index < 2 && { userId: user }) });
  await guerdon.database.pool.query('insert into zone_changes (project_id) select min(id) from projects');
  const holder = await guerdon.database.pool.connect();
  await holder.query(`begin; select from user_boosts where id = '${ids[1]}' for update`);
  const resolved = resolve();
  await waiting(1);
  const updates = [ids[0], ids[2]].map((id = '') => ({ boost: { id, name: 'new' } }));
  const updated = guerdon.boosts.updateBoosts({ updates });
  await waiting(2);
  await holder.query('commit');
  holder.release();
  await resolved;
  expect((await updated).updated.map(({ name }) => name)).toEqual(['new', 'new']);
});

it('a boost that was over is shown as active where the project moves west, and applies', async () => {
  const today = new Date(Date.now() - 11 * 3_600_000).toISOString().slice(0, 10);
  await zoneTo('Pacific/Kiritimati');
  const { created } = await create('xp', { start: today, end: today, zone: BoostZone.PROJECT });
  expect(created[0]?.status).toBe(BoostStatus.FINISHED);
  await zoneTo('Pacific/Pago_Pago');
  await guerdon.running.context.schedule.at(Date.now(), Date.now());
  await until(async () => (await boostOf(created[0]?.id))?.status === BoostStatus.ACTIVE, { what: 'it to be active' });
  const lesson = { metricKey: 'lessons', user: { id: 'west' }, value: '1' };
  expect((await guerdon.events.sendEvent(lesson)).points.xp?.added).toBe(20n);
  await zoneTo('UTC');
});

it('a boost that is taken up again after its end is announced again, and one that is renamed is not', async () => {
  const { created } = await create('xp', { startTime: timestampFromMs(Date.now() - 60_000) });
  const id = created[0]?.id ?? '';
  const end = (at?: number) => {
    const boost = { id, ...(at !== undefined && { endTime: timestampFromMs(at) }) };
    return guerdon.boosts.updateBoosts({ updates: [{ boost, updateMask: { paths: ['end_time'] } }] });
  };
  await end(Date.now() - 30_000);
  await end();
  await guerdon.boosts.updateBoosts({ updates: [{ boost: { id, name: 'renamed' } }] });
  await end(Date.now() - 10_000);
  const [started, finished] = ['boost_started', 'boost_finished'];
  expect(await kinds()).toEqual([started, finished, started, finished]);
});

it('a user who gives a first zone late opens no window that was over', async () => {
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await guerdon.users.createUser({ user: { id: 'late' } });
  const { created } = await create('xp', { userId: 'late', start: yesterday, end: yesterday });
  expect(created[0]?.status).toBe(BoostStatus.FINISHED);
  const lesson = { metricKey: 'lessons', user: { id: 'late', tz: 'Pacific/Pago_Pago' }, value: '1' };
  expect((await guerdon.events.sendEvent(lesson)).points.xp?.added).toBe(10n);
  expect((await boostOf(created[0]?.id))?.status).toBe(BoostStatus.FINISHED);
});

it('a boost whose attribute is archived can still be ended', async () => {
  const tier = { type: AttributeType.USER, key: 'tier', name: 'Tier' };
  await guerdon.admin.createAttributes({ attributes: [tier] });
  const { created } = await create('xp', { start: '2020-01-01', userAttributes: [{ key: 'tier', value: 'gold' }] });
  await guerdon.admin.archiveAttributes({ type: AttributeType.USER, keys: ['tier'] });
  const ended = { id: created[0]?.id ?? '', end: '2020-01-02' };
  expect((await guerdon.boosts.updateBoosts({ updates: [{ boost: ended }] })).updated).toHaveLength(1);
});

it('a day that the user never has, and boosts of a points system that is archived, are not announced', async () => {
  const [user = ''] = await addUsers(guerdon.database, 1, 'Pacific/Pago_Pago', 'skipping');
  const from = Date.parse('2040-06-15T10:30Z');
  await guerdon.database.pool.query(
    `update users set zones = zones || jsonb_build_array(jsonb_build_object('from', $1::bigint, 'zone', $2::text))
    where external_id = $3`,
    [from, 'Pacific/Kiritimati', user],
  );
  await addBoosts(guerdon, [user], { start: '2040-06-15', end: '2040-06-15' });
  await guerdon.admin.createPointsSystems({ systems: [{ key: 'brief', name: 'Brief' }] });
  const { created } = await create('brief', { start: '2040-01-01', end: '2040-01-01' });
  await guerdon.admin.archivePointsSystems({ keys: ['brief'] });
  const late = Date.parse('2040-07-01T00:00Z');
  await advanceBoosts(guerdon.database.pool, late, 100);
  expect(await kinds()).toEqual([]);
  await guerdon.admin.createPointsSystems({ systems: [{ key: 'brief', name: 'Back' }] });
  await advanceBoosts(guerdon.database.pool, late, 100);
  expect(await kinds()).toEqual(['boost_started', 'boost_finished']);
  expect((await boostOf(created[0]?.id))?.status).toBe(BoostStatus.FINISHED);
});

it('an update that changes nothing makes no program and no audit entry', async () => {
  const { created } = await create('xp', { start: '2040-01-01' });
  const version = async () => (await guerdon.admin.getProject({})).project?.programVersion;
  const before = await version();
  const same = { id: created[0]?.id ?? '', name: 'b' };
  expect((await guerdon.boosts.updateBoosts({ updates: [{ boost: same }] })).updated).toHaveLength(1);
  expect(await version()).toBe(before);
});

it('an admin key neither archives nor renames the keys of owners', async () => {
  const { created } = await guerdon.admin.createApiKeys({
    keys: [
      { kind: ApiKeyKind.ADMIN, name: 'admin' },
      { kind: ApiKeyKind.OWNER, name: 'owner' },
    ],
  });
  const { admin } = clientsOf(guerdon.grpcPort, created[0]?.key);
  const prefix = created[1]?.apiKey?.prefix ?? '';
  expect((await admin.archiveApiKeys({ prefixes: [prefix] })).archived).toEqual([]);
  expect((await admin.updateApiKeys({ updates: [{ prefix, name: 'mine' }] })).updated).toEqual([]);
  expect((await guerdon.admin.archiveApiKeys({ prefixes: [prefix] })).archived).toEqual([prefix]);
});

it('four calls at once make no more boosts of a user than there may be', async () => {
  await addUsers(guerdon.database, 1, 'UTC', 'full');
  const boosts = Array.from({ length: 400 }, () => ({
    userId: 'full1',
    name: 'b',
    multiplier: '2',
    start: '2040-01-01',
  }));
  const calls = await Promise.all([1, 2, 3, 4].map(() => guerdon.boosts.createBoosts({ systemKey: 'xp', boosts })));
  expect(calls.reduce((sum, { created }) => sum + created.length, 0)).toBe(1_000);
});
