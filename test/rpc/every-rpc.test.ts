import type { DescMethodServerStreaming, DescMethodUnary, Message } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { BadRequestSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { AchievementService } from '../../src/gen/guerdon/v1/achievement_service_pb.ts';
import { ApiKeyKind, type Project } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { ImportFormat } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { routes, streams } from '../../src/rpc/routes.ts';
import { clientsOf, KEY, startGuerdon, type TestGuerdon, transportOf } from '../support/guerdon.ts';
import { finished, importFile } from '../support/imports.ts';
import { until } from '../support/wait.ts';

// What holds for every RPC there is, also for one that is not yet thought of.

let guerdon: TestGuerdon;
/** An admin key of a second project with the same economy, and the key of ada's app in the first. */
const HOOK = '01900000-0000-7000-8000-000000000000';
let other = '';
let adas = '';
beforeAll(async () => {
  guerdon = await startGuerdon();
  const { admin, boosts, events, webhooks } = guerdon;
  const hook = { name: 'hook', url: 'https://hooks.example.com', pointsChangedInterval: 0 };
  await webhooks.createWebhooks({ webhooks: [{ ...hook, id: HOOK }, hook] });
  for (const { id } of (await webhooks.listWebhooks({})).webhooks) await webhooks.pauseWebhook({ id });
  await events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1', idempotencyKey: 'k' });
  await events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
  await guerdon.users.createUser({ user: { id: 'cleo' } });
  for (const amount of [100n, 400n]) {
    const key = { userId: 'ada', systemKey: 'xp', reason: 'r', idempotencyKey: String(amount) };
    await guerdon.points.adjustPoints({ ...key, amount });
  }
  const boost = { userId: 'ada', name: 'b', multiplier: '2', start: '2024-01-01' };
  await boosts.createBoosts({ systemKey: 'xp', boosts: [boost, boost, { ...boost, name: 'c' }] });
  const projects = await admin.createProjects({ projects: [{ key: 'other', name: 'Other' }] });
  other = projects.created[0]?.adminKey ?? '';
  const keys = await admin.createApiKeys({
    keys: [
      { kind: ApiKeyKind.APPLICATION, name: 'ada', userId: 'ada' },
      { kind: ApiKeyKind.ADMIN, name: 'another' },
    ],
  });
  adas = keys.created[0]?.key ?? '';
  const achievements = createClient(AchievementService, transportOf(guerdon.grpcPort, KEY));
  const api = { name: 'Done', rule: { case: 'api', value: {} } } as const;
  await admin.createAchievements({
    achievements: [
      { ...api, key: 'a1' },
      { ...api, key: 'a2' },
    ],
  });
  for (const achievementKey of ['a1', 'a2']) {
    await achievements.completeAchievement({ user: { id: 'ada' }, achievementKey });
  }
  for (const importId of IMPORTS) {
    const { id } = await importFile(
      guerdon,
      { importId, format: ImportFormat.CSV },
      'metric,user,value\nlessons,x,1\nnaps,x,1\n',
    );
    await finished(guerdon, id);
  }
  const { file } = await admin.exportEconomy({});
  await clientsOf(guerdon.grpcPort, other).admin.applyEconomy({ file });
  const told = async () => (await webhooks.listWebhookDeliveries({ webhookId: HOOK })).deliveries.length;
  await until(async () => (await told()) > 1, { what: 'deliveries to be listed' });
});
afterAll(() => guerdon.close());

/** Ids of two imports. */
const IMPORTS = [v7(), v7()];

type Answer = Message & Record<string, unknown>;

type Method = DescMethodUnary | DescMethodServerStreaming;

/** The answer, or the first of those that a stream gives. */
async function call(method: Method, request: object, key = KEY): Promise<Answer> {
  const client = createClient(method.parent, transportOf(guerdon.grpcPort, key));
  const rpc = client[method.localName] as unknown as (request: object) => Promise<Answer> | AsyncIterable<Answer>;
  if (method.methodKind === 'unary') return rpc(request) as Promise<Answer>;
  for await (const answer of rpc(request) as AsyncIterable<Answer>) return answer;
  throw new Error(`${method.name} gave nothing`);
}

async function failureOf(answer: Promise<unknown>) {
  const error = await answer.then(
    () => {
      throw new Error('it was taken');
    },
    (thrown) => ConnectError.from(thrown),
  );
  const violations = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return { code: error.code, fields: violations.map(({ field }) => field) };
}

const methods = [...routes, ...streams].map((route) => ({
  route,
  method: route.method as Method,
  name: route.method.name,
}));
const field = (method: Method, name: string) => method.input.fields.find((item) => item.localName === name);

describe('every RPC', () => {
  it.each(methods)('$name needs a key', async ({ method }) => {
    expect((await failureOf(call(method, {}, ''))).code).toBe(Code.Unauthenticated);
    expect((await failureOf(call(method, {}, 'no.0123456789abcdef'))).code).toBe(Code.Unauthenticated);
  });

  const texts = methods.flatMap(({ method, name }) =>
    method.input.fields
      .filter((item) => item.fieldKind === 'scalar' && item.scalar === 9)
      .map((item) => ({ method, name, localName: item.localName, text: item.name })),
  );
  it.each(texts)('$name refuses NUL in $text', async ({ method, localName, text }) => {
    const oneof = field(method, localName)?.oneof?.localName;
    const value = 'a\0b';
    const request = oneof === undefined ? { [localName]: value } : { [oneof]: { case: localName, value } };
    const { code, fields } = await failureOf(call(method, request));
    expect(code).toBe(Code.InvalidArgument);
    expect(fields).toContain(text);
  });

  it.each(methods)('$name takes an empty request, or says which fields are missing', async ({ method }) => {
    const error = await call(method, {}).then(() => undefined, ConnectError.from);
    if (error === undefined) return;
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).not.toEqual([]);
  });

  it.each(texts.filter(({ text }) => text !== 'file'))('$name refuses a $text without end', async (asked) => {
    const oneof = field(asked.method, asked.localName)?.oneof?.localName;
    const value = 'x'.repeat(100_000);
    const request = oneof === undefined ? { [asked.localName]: value } : { [oneof]: { case: asked.localName, value } };
    const { code, fields } = await failureOf(call(asked.method, request));
    expect(code).toBe(Code.InvalidArgument);
    expect(fields).toContain(asked.text);
  });

  const enums = methods.flatMap(({ method, name }) =>
    method.input.fields
      .filter((item) => item.fieldKind === 'enum')
      .map((item) => ({ method, name, localName: item.localName, text: item.name })),
  );
  it.each(enums)('$name refuses a $text that is not declared', async ({ method, localName, text }) => {
    const { code, fields } = await failureOf(call(method, { [localName]: 99 }));
    expect(code).toBe(Code.InvalidArgument);
    expect(fields).toContain(text);
  });

  const lists = methods.flatMap(({ route, method, name }) =>
    method.input.fields
      .filter((item) => item.fieldKind === 'list')
      .map(({ localName, name: list }) => ({ method, name, localName, list, items: route.items === localName })),
  );
  it.each(lists.filter(({ items }) => items))('$name refuses no $list', async ({ method, localName, list }) => {
    expect(await failureOf(call(method, { [localName]: [] }))).toMatchObject({
      code: Code.InvalidArgument,
      fields: expect.arrayContaining([list]),
    });
  });

  it.each(lists)('$name refuses more $list than it says', async ({ method, localName, list }) => {
    const asked = field(method, localName);
    const kind = asked?.fieldKind === 'list' ? asked.listKind : undefined;
    const item = kind === 'scalar' ? 'x' : kind === 'enum' ? 1 : {};
    const many = Array.from({ length: 1_001 }, () => item);
    expect(await failureOf(call(method, { [localName]: many }))).toMatchObject({
      code: Code.InvalidArgument,
      fields: expect.arrayContaining([list]),
    });
  });
});

/** A request that each list answers with at least two items. */
const LISTS: Record<string, object> = {
  ListAchievements: {},
  ListUserAchievements: { userId: 'ada' },
  ListEvents: { userId: 'ada' },
  ListImports: {},
  ListImportRows: { id: IMPORTS[0] },
  ListLedgerEntries: { userId: 'ada', systemKey: 'xp' },
  ListPointsSystems: {},
  ListUserPoints: { userId: 'ada' },
  ListLevelChanges: { userId: 'ada', systemKey: 'xp' },
  ListLevels: { systemKey: 'xp' },
  ListBoosts: { systemKey: 'xp' },
  ListUserBoosts: { userId: 'ada', systemKey: 'xp' },
  ListMetrics: {},
  ListUsers: {},
  ListAttributes: {},
  ListTriggers: { systemKey: 'xp' },
  ListProjects: {},
  ListApiKeys: {},
  ListAuditEntries: {},
  ListWebhooks: {},
  ListWebhookDeliveries: { webhookId: HOOK },
};

function itemsOf(method: Method, answer: Answer): unknown[] {
  const list = method.output.fields.find((item) => item.fieldKind === 'list');
  return answer[list?.localName ?? ''] as unknown[];
}

describe('every list', () => {
  const listing = methods.filter(({ name }) => name.startsWith('List'));

  it('is among those tested here', () => {
    expect(listing.map(({ name }) => name).sort()).toEqual(Object.keys(LISTS).sort());
  });

  it.each(listing)('$name has pages with a bound', async ({ method, name }) => {
    const request = LISTS[name] as object;
    for (const pageSize of [-1, 501]) {
      expect(await failureOf(call(method, { ...request, pageSize }))).toEqual({
        code: Code.InvalidArgument,
        fields: ['page_size'],
      });
    }
  });

  it.each(listing)('$name gives page by page what it gives at once', async ({ method, name }) => {
    const request = LISTS[name] as object;
    const whole = itemsOf(method, await call(method, request));
    expect(whole.length).toBeGreaterThan(1);
    const paged: unknown[] = [];
    for (let pageToken = '', pages = 0; pages === 0 || pageToken !== ''; pages += 1) {
      const answer: Answer = await call(method, { ...request, pageSize: 1, pageToken });
      expect(itemsOf(method, answer)).toHaveLength(1);
      paged.push(...itemsOf(method, answer));
      pageToken = answer.nextPageToken as string;
    }
    expect(paged).toEqual(whole);
  });

  it.each(listing)('$name refuses a token that is not its own', async ({ method, name }) => {
    const foreign = name === 'ListMetrics' ? 'ListApiKeys' : 'ListMetrics';
    const another = methods.find((item) => item.name === foreign)?.method as Method;
    const { nextPageToken } = await call(another, { pageSize: 1 });
    for (const pageToken of ['nonsense', nextPageToken]) {
      expect(await failureOf(call(method, { ...LISTS[name], pageToken }))).toEqual({
        code: Code.InvalidArgument,
        fields: ['page_token'],
      });
    }
  });
});

describe('a key', () => {
  const forOwners = methods.filter(({ route }) => route.access === 'owner');
  it.each(forOwners)('of an admin may not call $name', async ({ method }) => {
    expect((await failureOf(call(method, {}, other))).code).toBe(Code.PermissionDenied);
  });

  const forAdmins = methods.filter(({ route }) => route.access === 'owner' || route.access === 'admin');
  it.each(forAdmins)('of an app may not call $name', async ({ method }) => {
    expect((await failureOf(call(method, {}, adas))).code).toBe(Code.PermissionDenied);
  });

  const ofUsers = methods.filter(({ route }) => typeof route.access === 'function');
  it.each(ofUsers)('of one user’s app may not call $name for another', async ({ method }) => {
    const user = { id: 'bob' };
    const request = {
      ...(field(method, 'userId') && { userId: 'bob' }),
      ...(field(method, 'user') && { user }),
      ...(field(method, 'events') && { events: [{ user: { id: 'ada' } }, { user }] }),
    };
    expect((await failureOf(call(method, request, adas))).code).toBe(Code.PermissionDenied);
  });

  it('of one user’s app may do what the app needs', async () => {
    const app = clientsOf(guerdon.grpcPort, adas);
    const event = { metricKey: 'lessons', user: { id: 'ada' }, value: '1' };
    const { eventId } = await app.events.sendEvent(event);
    expect((await app.events.getEvent({ lookup: { case: 'eventId', value: eventId } })).event?.userId).toBe('ada');
    expect((await app.points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total).toBeGreaterThan(0n);
    expect((await app.boosts.listUserBoosts({ userId: 'ada', systemKey: 'xp' })).boosts).toHaveLength(3);
    expect((await app.points.listLevels({ systemKey: 'xp' })).levels).not.toEqual([]);
    const back = { ...event, occurredAt: { seconds: 5n, nanos: 0 } };
    expect(await failureOf(app.events.sendEvent(back))).toMatchObject({ fields: ['occurred_at'] });
  });

  it('of one user’s app sees no event of another', async () => {
    const event = { metricKey: 'lessons', user: { id: 'bob' }, value: '1' };
    const { eventId } = await guerdon.events.sendEvent(event);
    const app = clientsOf(guerdon.grpcPort, adas);
    const asked = app.events.getEvent({ lookup: { case: 'eventId', value: eventId } });
    expect((await failureOf(asked)).code).toBe(Code.NotFound);
  });
});

describe('a key of one project', () => {
  const key = () => clientsOf(guerdon.grpcPort, other);
  const ofFirst = { userId: 'ada', systemKey: 'xp' };

  it.each([
    'ListEvents',
    'ListLedgerEntries',
    'ListUserBoosts',
    'GetUserPoints',
    'AdjustPoints',
    'SpendPoints',
    'WatchUserPoints',
  ])('does not know the users of another: %s', async (name) => {
    const { method } = methods.find((item) => item.name === name) as (typeof methods)[number];
    const more = { amount: 1n, reason: 'r', idempotencyKey: 'i' };
    const request = Object.fromEntries(
      Object.entries({ ...ofFirst, ...more }).filter(([item]) => field(method, item) !== undefined),
    );
    expect((await failureOf(call(method, request, other))).code).toBe(Code.NotFound);
  });

  it('sees no event, boost, key, project or change of another', async () => {
    const first = await guerdon.events.getEvent({
      lookup: { case: 'key', value: { userId: 'ada', metricKey: 'lessons', idempotencyKey: 'k' } },
    });
    const id = first.event?.id ?? '';
    const { events, boosts, admin } = key();
    expect((await failureOf(events.getEvent({ lookup: { case: 'eventId', value: id } }))).code).toBe(Code.NotFound);
    const boost = (await guerdon.boosts.listBoosts({ systemKey: 'xp' })).boosts[0]?.id ?? '';
    expect((await failureOf(boosts.getBoost({ id: boost }))).code).toBe(Code.NotFound);
    expect((await boosts.listBoosts({ systemKey: 'xp' })).boosts).toEqual([]);
    expect((await boosts.deleteBoosts({ ids: [boost] })).deleted).toEqual([]);
    expect((await boosts.updateBoosts({ updates: [{ boost: { id: boost, name: 'mine' } }] })).updated).toEqual([]);
    expect((await admin.listApiKeys({})).apiKeys).toHaveLength(1);
    expect((await failureOf(admin.getApiKey({ prefix: 'test' }))).code).toBe(Code.NotFound);
    expect((await admin.archiveApiKeys({ prefixes: ['test'] })).archived).toEqual([]);
    expect((await failureOf(admin.getProject({ key: 'demo' }))).code).toBe(Code.PermissionDenied);
    expect(((await admin.getProject({})).project as Project).key).toBe('other');
    const named = { keys: [{ kind: ApiKeyKind.ADMIN, name: 'x' }], projectKey: 'demo' };
    expect((await failureOf(admin.createApiKeys(named))).code).toBe(Code.PermissionDenied);
    const { entries } = await admin.listAuditEntries({ pageSize: 500 });
    expect(entries.filter(({ change }) => change?.kind === 'boost')).toEqual([]);
    expect((await guerdon.boosts.getBoost({ id: boost })).boost?.name).toBe('b');
  });

  it('changes nothing of another', async () => {
    await key().admin.updateMetrics({ updates: [{ metric: { key: 'lessons', name: 'Theirs' } }] });
    expect((await guerdon.admin.getMetric({ key: 'lessons' })).metric?.name).toBe('Lessons');
    await key().events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1', idempotencyKey: 'k' });
    expect((await key().points.getUserPoints(ofFirst)).total).toBe(10n);
  });
});
