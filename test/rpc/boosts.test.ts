import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { BadRequestSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import type { CreateBoostsResponse } from '../../src/gen/guerdon/v1/boost_service_pb.ts';
import { type Boost, BoostStatus, BoostZone, Rounding } from '../../src/gen/guerdon/v1/types_pb.ts';
import { readKey } from '../../src/keys.ts';
import { type Clients, clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

type Api = Clients['boosts'];
type Asked = Parameters<Api['listBoosts']>[0];
type Input = NonNullable<Parameters<Api['createBoosts']>[0]['boosts']>[number];

const { SCHEDULED, ACTIVE, FINISHED } = BoostStatus;
const { USER, PROJECT } = BoostZone;
const HOUR = 3_600_000;
const NOBODY = '01890000-0000-7000-8000-000000000000';

let guerdon: TestGuerdon;
let api: Api;
let user = '';
let system = '';
let tests = 0;
beforeAll(async () => {
  guerdon = await startGuerdon();
  api = guerdon.boosts;
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});
beforeEach(async () => {
  tests += 1;
  [user, system] = [`user${tests}`, `system${tests}`];
  await arrive(user);
});

const at = (iso: string) => timestampFromMs(Date.parse(iso));
const from = (offset: number) => timestampFromMs(Date.now() + offset);
const AHEAD = { start: '2190-01-01' };
const PAST = { start: '2024-01-01' };
const OVER = { start: '2024-01-01', end: '2024-01-01' };
const ALL = { userId: undefined };

/** Makes a user known, without points. */
const arrive = (id: string, more: { tz?: string; attributes?: Record<string, string> } = {}) =>
  guerdon.events.sendEvent({ metricKey: 'lessons', user: { id, ...more }, value: '0' });

/** A points system of this test alone, in which nothing is ever paid. */
const makeSystem = () => guerdon.admin.createPointsSystems({ systems: [{ key: system, name: 'Test' }] });

/** Asks for boosts of this user, far ahead, unless told otherwise. */
const create = (systemKey: string, ...boosts: Input[]) => {
  const usual = { userId: user, name: 'b', multiplier: '2' };
  const window = (boost: Input) => ('startTime' in boost ? {} : AHEAD);
  return api.createBoosts({ systemKey, boosts: boosts.map((boost) => ({ ...usual, ...window(boost), ...boost })) });
};

/** The same for boosts that are all right. */
async function make(systemKey: string, ...boosts: Input[]): Promise<[Boost, ...Boost[]]> {
  const { created } = await create(systemKey, ...boosts);
  expect(created).toHaveLength(boosts.length);
  return created as [Boost, ...Boost[]];
}

const change = (boost: Input, ...paths: string[]) => api.updateBoosts({ updates: [{ boost, updateMask: { paths } }] });
const archive = (...boosts: Boost[]) => api.deleteBoosts({ ids: boosts.map(({ id }) => id) });
const get = async (id: string) => (await api.getBoost({ id })).boost as Boost;
const namesOf = (boosts: readonly Boost[]) => boosts.map(({ name }) => name);

/** Position, severity and field of each. */
const brief = (issues: CreateBoostsResponse['issues']) =>
  issues.map(({ index, severity, field }) => `${index} ${['?', 'error', 'warning'][severity]} ${field}`.trim());

/** Code and fields at fault; Unknown for a call that is taken. */
async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = ConnectError.from(await call.catch((thrown: unknown) => thrown));
  const details = error.findDetails(BadRequestSchema);
  const fields = details.flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field));
  return [Code[error.code], ...fields].join(' ');
}

/** All boosts, and how many changes there were. */
async function stored(): Promise<unknown> {
  const { rows } = await guerdon.database.pool.query(`select (select json_agg(b order by id) from user_boosts b) as own,
    (select json_agg(b order by id) from global_boosts b) as global, (select count(*) from audit) as audit`);
  return rows[0];
}

/** All pages of a list, and how long each is. */
async function paged(list: (pageToken: string) => Promise<{ boosts: Boost[]; nextPageToken: string }>) {
  const pages: Boost[][] = [];
  for (let token: string | undefined; token !== ''; ) {
    const page = await list(token ?? '');
    pages.push(page.boosts);
    token = page.nextPageToken;
  }
  return { boosts: pages.flat(), sizes: pages.map((page) => page.length) };
}

describe('a call that is refused as a whole says why, and nothing is stored', () => {
  const systemKey = 'xp';
  const many = Array<string>(1_001).fill(NOBODY);
  const boosts = many.map(() => ({}));
  const updates = many.map((id) => ({ boost: { id } }));
  it.each<[string, () => Promise<unknown>, string]>([
    ['boosts without a points system', () => create('', {}), 'InvalidArgument system_key'],
    ['boosts in a malformed points system', () => create('a b', {}), 'InvalidArgument system_key'],
    ['boosts in an unknown points system', () => create('gems', {}), 'NotFound'],
    ['no boosts', () => create('xp'), 'InvalidArgument boosts'],
    ['1,001 boosts', () => create('xp', ...boosts), 'InvalidArgument boosts'],
    ['a list of an unknown system', () => api.listBoosts({ systemKey: 'gems' }), 'NotFound'],
    ['a page of 501', () => api.listBoosts({ systemKey, pageSize: 501 }), 'InvalidArgument page_size'],
    ['an unknown boost', () => get(NOBODY), 'NotFound'],
    ['a malformed id', () => get('boost-1'), 'InvalidArgument id'],
    ['no changes', () => api.updateBoosts({}), 'InvalidArgument updates'],
    ['1,001 changes', () => api.updateBoosts({ updates }), 'InvalidArgument updates'],
    ['no ids', () => api.deleteBoosts({}), 'InvalidArgument ids'],
    ['1,001 ids', () => api.deleteBoosts({ ids: many }), 'InvalidArgument ids'],
    ['an unknown user', () => api.listUserBoosts({ systemKey, userId: 'nobody' }), 'NotFound'],
  ])('%s', async (_what, call, failure) => {
    const before = await stored();
    expect(await failureOf(call())).toBe(failure);
    expect(await stored()).toEqual(before);
  });
});

describe('one bad boost between two good ones is an issue of its own, and they are made', () => {
  const startTime = at('2190-01-01T00:00Z');
  const filter = (key: string) => ({ key, value: 'x' });
  const all = async () => (await api.listBoosts({ systemKey: 'coins', pageSize: 500 })).boosts;
  it.each<[string, Input, string]>([
    ['no multiplier', { multiplier: undefined }, 'multiplier'],
    ['multiplier 0', { multiplier: '0' }, 'multiplier'],
    ['multiplier 1', { multiplier: '1' }, 'multiplier'],
    ['multiplier 100', { multiplier: '100' }, 'multiplier'],
    ['a multiplier of ten decimals', { multiplier: '1.0000000001' }, 'multiplier'],
    ['a multiplier that is no number', { multiplier: 'abc' }, 'multiplier'],
    ['no name', { name: undefined }, 'name'],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, 'name'],
    ['NUL in the name', { name: 'a\0b' }, 'name'],
    ['an unknown user', { userId: 'nobody' }, 'user_id'],
    ['both a user and attributes', { userAttributes: [filter('plan')] }, 'user_attributes'],
    ['an undeclared attribute', { ...ALL, userAttributes: [filter('shoe')] }, 'user_attributes'],
    ['no window', { start: undefined }, 'start'],
    ['both kinds of window', { ...AHEAD, startTime }, 'start_time'],
    ['an end before the start', { ...AHEAD, end: '2189-12-31' }, 'end'],
    ['30 February', { start: '2026-02-30' }, 'start'],
    ['a day before 1900', { start: '1899-12-31' }, 'start'],
    ['an end at the instant of the start', { startTime, endTime: startTime }, 'end_time'],
    ['a zone with instants', { startTime, zone: USER }, 'zone'],
    ['an unknown rounding', { rounding: 9 as Rounding }, 'rounding'],
    ['an id that is no UUID', { id: 'boost-1' }, 'id'],
  ])('%s', async (_what, bad, field) => {
    const before = await all();
    const { created, issues } = await create('coins', { name: 'first' }, bad, { name: 'last' });
    expect(namesOf(created)).toEqual(['first', 'last']);
    expect(brief(issues)).toEqual([`1 error ${field}`]);
    expect(issues[0]?.message).toMatch(new RegExp(`^${field}: .`));
    expect(await all()).toEqual([...before, ...created]);
  });
});

it('an id of the sender’s own making makes one boost, whatever is asked again, even when it is archived', async () => {
  const id = v7();
  const { created, issues } = await create('xp', { id, name: 'first' }, { id: id.toUpperCase() });
  expect(created).toMatchObject([{ id, name: 'first' }]);
  expect(brief(issues)).toEqual(['1 error id']);
  for (const step of [() => {}, () => archive(...created)]) {
    await step();
    const before = await stored();
    const again = await create('xp', { id }, { id, ...ALL });
    expect([again.created, brief(again.issues)]).toEqual([[], ['0 error id', '1 error id']]);
    expect(await stored()).toEqual(before);
  }
});

describe('a boost that is made, though perhaps not meant, is warned of', () => {
  it.each<[string, string, Input, string[]]>([
    ['a first day in the past', 'xp', PAST, ['0 warning start']],
    ['a first instant in the past', 'xp', { startTime: from(-HOUR) }, ['0 warning start_time']],
    ['days that are over', 'xp', OVER, ['0 warning end']],
    ['instants that are over', 'xp', { startTime: from(-HOUR), endTime: from(-1) }, ['0 warning end_time']],
    ['1.5 on awards of 1, rounded down', 'energy', { multiplier: '1.5' }, ['0 warning multiplier']],
    ['but not 1.5 rounded to the nearest', 'energy', { multiplier: '1.5', rounding: Rounding.NEAREST }, []],
  ])('%s', async (_what, systemKey, boost, warnings) => {
    const { created, issues } = await create(systemKey, boost);
    expect(created).toMatchObject([{ userId: user, systemKey }]);
    expect(brief(issues)).toEqual(warnings);
  });
});

describe('boosts that are made', () => {
  it('are 1,000 in one call; a user who has them cannot have another until one is archived', async () => {
    await makeSystem();
    const names = Array.from({ length: 1_000 }, (_, index) => `b${index}`);
    await make(system, ...names.map((name) => ({ name, ...ALL })));
    const made = await make(system, ...names.map((name) => ({ name })));
    expect(namesOf(made)).toEqual(names);
    const { created, issues } = await create(system, {});
    expect([created, brief(issues)]).toEqual([[], ['0 error']]);
    await archive(made[0]);
    await make(system, {});
  });

  it.each<[string, Input, BoostStatus]>([
    ['active after a first day in the past', PAST, ACTIVE],
    ['active from an instant until another', { startTime: from(-HOUR), endTime: from(HOUR) }, ACTIVE],
    ['scheduled before the first day', AHEAD, SCHEDULED],
    ['scheduled before the first instant', { startTime: from(HOUR) }, SCHEDULED],
    ['finished after the last day', OVER, FINISHED],
    ['finished after the last instant', { startTime: from(-HOUR), endTime: from(-1) }, FINISHED],
  ])('are %s, for one user and for all', async (_what, boost, status) => {
    await makeSystem();
    const made = await make(system, boost, { ...boost, ...ALL });
    expect(made.map((item) => item.status)).toEqual([status, status]);
    for (const item of made) expect(await get(item.id)).toEqual(item);
  });
});

describe('the next event', () => {
  const open = { startTime: from(-HOUR) };
  const pro = () => ({ plan: user });

  /** The award in xp for a lesson, which is 10 without boosts, and their ids. */
  async function lesson(attributes: Record<string, string> = {}, id = user): Promise<unknown[]> {
    const { points } = await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id, attributes }, value: '1' });
    return [Number(points.xp?.added), ...(points.xp?.awards[0]?.boosts ?? []).map((boost) => boost.id)];
  }

  it('is multiplied by a boost of the user, not by those of others, other systems or other times', async () => {
    await arrive('somebody');
    const [own] = await make('xp', open, { startTime: from(HOUR) }, { ...open, endTime: from(-1) });
    await make('coins', open);
    await make('xp', { ...open, userId: 'somebody' });
    expect(await lesson()).toEqual([20, own.id]);
  });

  it('is multiplied by a boost for all users, and by one for an attribute while the user has it: 2 × 1.5 × 3', async () => {
    const forPlan = { ...open, ...ALL, multiplier: '3', userAttributes: [{ key: 'plan', value: user }] };
    const [own, all, plan] = await make('xp', open, { ...open, ...ALL, multiplier: '1.5' }, forPlan);
    expect((await lesson(pro()))[0]).toBe(90);
    expect(await lesson(pro(), 'passer-by')).toEqual([45, all?.id, plan?.id]);
    expect(await lesson({ plan: 'basic' }, 'passer-by')).toEqual([15, all?.id]);
    await archive(all as Boost, plan as Boost);
    expect(await lesson()).toEqual([20, own.id]);
    expect(await lesson(pro(), 'passer-by')).toEqual([10]);
  });

  it('is multiplied by the best exclusive boost alone', async () => {
    const exclusive = (multiplier: string) => ({ ...open, multiplier, exclusive: true });
    const [, , best] = await make('xp', { ...open, multiplier: '9' }, exclusive('2.5'), exclusive('3'));
    expect(await lesson()).toEqual([30, best?.id]);
  });

  it('is multiplied by a boost as it was changed, and not by one that was archived', async () => {
    const [boost] = await make('xp', open);
    expect(await lesson()).toEqual([20, boost.id]);
    await change({ id: boost.id, multiplier: '3' });
    expect(await lesson()).toEqual([30, boost.id]);
    await change({ id: boost.id, startTime: from(HOUR) });
    expect(await lesson()).toEqual([10]);
    await change({ id: boost.id, ...open });
    await archive(boost);
    expect(await lesson()).toEqual([10]);
  });
});

describe('the list of boosts', () => {
  const list = (asked: Asked = {}) => api.listBoosts({ systemKey: system, ...asked });

  it('is paged to its end in the order of the ids, those of users and those for all together', async () => {
    await makeSystem();
    const made = await make(system, {}, ALL, {}, ALL, {});
    const pages = () => paged((pageToken) => list({ pageSize: 2, pageToken }));
    expect(await pages()).toEqual({ sizes: [2, 2, 1], boosts: made });
    await archive(made[0]);
    expect(await pages()).toEqual({ sizes: [2, 2], boosts: made.slice(1) });
  });

  it.each<[string, Asked, string[]]>([
    ['scheduled ones', { status: SCHEDULED }, ['ahead', 'theirs']],
    ['active ones', { status: ACTIVE }, ['active', 'for all']],
    ['finished ones', { status: FINISHED }, ['over']],
    ['archived ones too', { includeArchived: true }, ['ahead', 'active', 'over', 'for all', 'archived', 'theirs']],
    ['those for all users', { globalOnly: true }, ['for all']],
    ['those of a user', { userId: 'somebody' }, ['theirs']],
    ['those of a user that are for all', { userId: 'somebody', globalOnly: true }, []],
  ])('may be of %s', async (_what, asked, found) => {
    await makeSystem();
    const live = [{ name: 'ahead' }, { ...PAST, name: 'active' }, { ...OVER, name: 'over' }];
    const made = await make(system, ...live, { ...PAST, ...ALL, name: 'for all' }, { ...PAST, name: 'archived' });
    await archive(...made.slice(-1));
    await arrive('somebody');
    await make(system, { name: 'theirs', userId: 'somebody' });
    expect(namesOf((await list(asked)).boosts)).toEqual(found);
  });

  it('refuses the page token of another list', async () => {
    await makeSystem();
    await make(system, {}, {});
    const { nextPageToken: pageToken } = await list({ pageSize: 1 });
    for (const asked of [{ systemKey: 'xp' }, { status: SCHEDULED }, { includeArchived: true }]) {
      expect(await failureOf(list({ ...asked, pageToken }))).toBe('InvalidArgument page_token');
    }
    const now = api.listUserBoosts({ userId: user, systemKey: system, pageToken });
    expect(await failureOf(now)).toBe('InvalidArgument page_token');
  });
});

describe('a change of a boost', () => {
  const days = { start: '2190-01-01', end: '2190-01-31' };
  const instants = { startTime: at('2191-01-01T00:00Z'), endTime: at('2191-01-02T00:00Z') };
  const window = ['start', 'end', 'zone', 'start_time', 'end_time'];
  const both = { name: 'new', multiplier: '3.5' };
  const usual = { rounding: Rounding.DOWN, exclusive: false, zone: USER };
  it.each<[string, Input, string[], object]>([
    ['sets what is present, where there is no mask', both, [], both],
    ['sets what is present and false', { exclusive: false }, [], { exclusive: false }],
    ['sets what the mask names, and nothing else', both, ['multiplier'], { multiplier: '3.5' }],
    ['clears the end where the mask names it', {}, ['end'], { end: '', endTime: undefined }],
    ['goes from days to instants by the mask', instants, window, { ...instants, start: '', end: '', zone: 0 }],
    ['clears to what is usual', {}, ['rounding', 'exclusive', 'zone'], usual],
  ])('%s', async (_what, fields, paths, expected) => {
    const [boost] = await make('xp', { ...days, zone: PROJECT, rounding: Rounding.UP, exclusive: true });
    const { updated, issues } = await change({ id: boost.id, ...fields }, ...paths);
    const updatedAt = updated[0]?.updatedAt;
    expect({ updated, issues }).toEqual({ updated: [{ ...boost, ...expected, updatedAt }], issues: [] });
    expect([await get(boost.id)]).toEqual(updated);
  });

  const pro = [{ key: 'plan', value: 'pro' }];
  it.each<[string, Input, string[], RegExp]>([
    ['names an unknown field', {}, ['name', 'colour'], /"colour" cannot be set/],
    ['names another user', { userId: 'somebody' }, [], /user_id: cannot be changed/],
    ['names the user in its mask', {}, ['user_id'], /"user_id" cannot be set/],
    ['gives attributes to a boost of a user', { userAttributes: pro }, [], /user_attributes: must be left out/],
    ['adds instants to days', instants, [], /start_time: must be left out/],
    ['clears the multiplier', {}, ['multiplier'], /multiplier: must be above 0/],
    ['names no boost', { id: '' }, [], /id: must name the boost/],
    ['names an unknown boost', { id: NOBODY }, [], /id: there is no boost/],
  ])('that %s is an issue, and others are made', async (_what, fields, paths, message) => {
    const [boost, other] = await make('xp', days, days);
    const right = { boost: { id: other?.id as string, name: 'new' } };
    const wrong = { boost: { id: boost.id, ...fields }, updateMask: { paths } };
    const { updated, issues } = await api.updateBoosts({ updates: [wrong, right] });
    expect(issues).toMatchObject([{ index: 0, severity: 1, message: expect.stringMatching(message) }]);
    expect(updated).toMatchObject([right.boost]);
    expect(await get(boost.id)).toEqual(boost);
  });

  it('is made once in a call, and never of an archived boost', async () => {
    const [boost] = await make('xp', days);
    const updates = ['one', 'two'].map((name) => ({ boost: { id: boost.id, name } }));
    const twice = await api.updateBoosts({ updates });
    expect(twice).toMatchObject({ updated: [{ name: 'one' }], issues: [{ index: 1, severity: 1 }] });
    await archive(boost);
    const archived = await get(boost.id);
    expect(await api.updateBoosts({ updates })).toMatchObject({ updated: [], issues: [{ index: 0 }, { index: 1 }] });
    expect(await get(boost.id)).toEqual(archived);
  });
});

it('boosts are archived once: again is a warning, an unknown or malformed id an error, and others are archived', async () => {
  const [first, second] = (await make('xp', {}, {})) as [Boost, Boost];
  expect(await archive(first)).toMatchObject({ deleted: [first.id], issues: [] });
  const archived = await get(first.id);
  expect(archived).toEqual({ ...first, updatedAt: archived.archivedAt, archivedAt: archived.updatedAt });
  const { deleted, issues } = await api.deleteBoosts({ ids: [first.id, NOBODY, 'boost-1', second.id, second.id] });
  expect(deleted).toEqual([second.id]);
  expect(brief(issues)).toEqual(['0 warning', '1 error', '2 error', '4 warning']);
  expect(await get(first.id)).toEqual(archived);
});

it('the boosts of a user are those that apply now, page by page, at the instants of the user’s own days', async () => {
  await makeSystem();
  await arrive('somebody');
  user = `tokyo-${user}`;
  await arrive(user, { tz: 'Asia/Tokyo', attributes: { plan: 'pro' } });
  const days = { start: '2024-01-01', end: '2189-12-31' };
  const plan = (value: string) => ({ ...days, ...ALL, userAttributes: [{ key: 'plan', value }] });
  const never = [plan('free'), { ...days, userId: 'somebody' }, AHEAD, OVER, { startTime: from(HOUR) }];
  const made = await make(system, days, plan('pro'), { ...days, ...ALL, zone: PROJECT }, ...never, days);
  await make('xp', days);
  await archive(...made.slice(-1));
  const asked = { userId: user, systemKey: system, pageSize: 2 };
  const { boosts, sizes } = await paged((pageToken) => api.listUserBoosts({ ...asked, pageToken }));
  const tokyo = { startTime: at('2023-12-31T15:00Z'), endTime: at('2189-12-31T15:00Z'), status: ACTIVE };
  const project = { startTime: at('2024-01-01T00:00Z'), endTime: at('2190-01-01T00:00Z'), status: ACTIVE };
  const seen = [tokyo, tokyo, project].map((window, at) => ({ ...window, id: made[at]?.id, systemKey: system }));
  expect(boosts).toMatchObject(seen);
  expect(sizes).toEqual([2, 1]);
  expect(made[1]).toMatchObject({ startTime: at('2023-12-31T10:00Z'), endTime: at('2190-01-01T12:00Z') });
});

it('the key of another project sees and changes nothing of this one', async () => {
  const { pool } = guerdon.database;
  const key = 'other.0123456789abcdef0123456789abcdef';
  await pool.query(`insert into projects (key, name, time_zone, created_at) values ('b', 'B', 'UTC', now())`);
  await pool.query(
    `insert into api_keys (project_id, prefix, hash, kind, name, created_at)
    select id, $1, $2, 'admin', 'test', now() from projects where key = 'b'`,
    [readKey(key)?.prefix, readKey(key)?.hash],
  );
  const { boosts: other, admin } = clientsOf(guerdon.grpcPort, key);
  const made = await make('xp', PAST, { ...AHEAD, ...ALL });
  const before = await stored();
  const ids = made.map(({ id }) => id);
  const systemKey = 'xp';
  expect(await failureOf(other.listBoosts({ systemKey }))).toBe('NotFound');
  expect(await failureOf(other.createBoosts({ systemKey, boosts: [{ ...AHEAD, name: 'b' }] }))).toBe('NotFound');
  for (const id of ids) expect(await failureOf(other.getBoost({ id }))).toBe('NotFound');
  const { updated, issues } = await other.updateBoosts({ updates: ids.map((id) => ({ boost: { id, name: 'new' } })) });
  expect([updated, issues.map(({ severity }) => severity)]).toEqual([[], [1, 1]]);
  const archived = await other.deleteBoosts({ ids });
  expect([archived.deleted, brief(archived.issues)]).toEqual([[], ['0 error', '1 error']]);
  expect(await stored()).toEqual(before);
  await admin.createPointsSystems({ systems: [{ key: systemKey, name: 'XP' }] });
  expect((await other.listBoosts({ systemKey })).boosts).toEqual([]);
  expect(await failureOf(other.listUserBoosts({ userId: user, systemKey }))).toBe('NotFound');
  const boost = { ...AHEAD, name: 'b', multiplier: '2', userId: user };
  expect(brief((await other.createBoosts({ systemKey, boosts: [boost] })).issues)).toEqual(['0 error user_id']);
  for (const item of made) expect(await get(item.id)).toEqual(item);
});
