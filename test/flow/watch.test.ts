import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport as createNodeTransport } from '@connectrpc/connect-node';
import { createConnectTransport } from '@connectrpc/connect-web';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeyKind } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { PointsService } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  type Clients,
  clientsOf,
  environment,
  type GuerdonProcess,
  KEY,
  spawnGuerdon,
  startGuerdon,
  type TestGuerdon,
} from '../support/guerdon.ts';
import { until } from '../support/wait.ts';
import { expectWhole, watchUntil } from '../support/watchers.ts';

type Points = Clients['points'];

describe('watching points', () => {
  let database: TestDatabase;
  let processes: GuerdonProcess[];
  let here: Clients;
  let there: Clients;
  beforeAll(async () => {
    database = await createDatabase();
    const more = { GUERDON_CORS_ORIGINS: 'http://app.example' };
    processes = await Promise.all([1, 2].map(() => spawnGuerdon(environment(database, 'postgres', more))));
    [here, there] = processes.map(({ grpcPort }) => clientsOf(grpcPort)) as [Clients, Clients];
  }, 60_000);
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.end()));
    await database.drop();
  });
  const lesson = (clients: Clients, id: string) =>
    clients.events.sendEvent({ metricKey: 'lessons', user: { id }, value: '1' });

  it('tells the balance, then every change, also those that another process makes', async () => {
    await lesson(there, 'ada');
    const seen = watchUntil(here.points, 'ada', 4n);
    for (let index = 0; index < 3; index += 1) await lesson(there, 'ada');
    const all = await seen;
    expectWhole(all);
    expect(all.at(-1)).toMatchObject({
      total: 40n,
      level: { key: 'novice' },
      nextLevel: { key: 'apprentice' },
      pointsToNextLevel: 60n,
    });
  });

  it('tells a browser the same', async () => {
    await lesson(here, 'browser');
    const transport = createConnectTransport({
      baseUrl: `http://127.0.0.1:${processes[0]?.httpPort}`,
      fetch: (input, init) =>
        fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), 'x-api-key': KEY } }),
    });
    const seen = watchUntil(createClient(PointsService, transport), 'browser', 3n);
    for (let index = 0; index < 2; index += 1) await lesson(there, 'browser');
    const all = await seen;
    expectWhole(all);
    expect(all.at(-1)?.total).toBe(30n);
  });

  it('is refused for who is not known', async () => {
    const codeOf = (userId: string, systemKey: string) =>
      here.points
        .watchUserPoints({ userId, systemKey })
        [Symbol.asyncIterator]()
        .next()
        .then(
          () => undefined,
          (error) => ConnectError.from(error).code,
        );
    expect(await codeOf('nobody', 'xp')).toBe(Code.NotFound);
    expect(await codeOf('ada', 'nothing')).toBe(Code.NotFound);
    expect(await codeOf('', 'xp')).toBe(Code.InvalidArgument);
    expect(await codeOf('a\0', 'xp')).toBe(Code.InvalidArgument);
    const { created } = await here.admin.createApiKeys({ keys: [{ kind: 3, name: 'app', userId: 'ada' }] });
    const app = clientsOf(processes[0]?.grpcPort as number, created[0]?.key);
    expect((await watchUntil(app.points, 'ada', 0n)).length).toBe(1);
    await expect(watchUntil(app.points, 'browser', 0n)).rejects.toMatchObject({ code: Code.PermissionDenied });
  });
});

describe('what ends the watching', () => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon();
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
  });
  afterAll(() => guerdon.close());

  /** Watches as far as the first answer; what comes then is the code of the error. */
  const watching = async (points: Points, userId = 'ada', systemKey = 'xp') => {
    const answers = points.watchUserPoints({ userId, systemKey })[Symbol.asyncIterator]();
    await answers.next();
    return {
      end: answers.next().then(
        () => undefined,
        (error) => ConnectError.from(error).code,
      ),
    };
  };
  const overHttp = (key: string) => {
    const withKey: Interceptor = (next) => (request) => {
      request.header.set('x-api-key', key);
      return next(request);
    };
    const baseUrl = `http://127.0.0.1:${guerdon.httpPort}`;
    return createClient(PointsService, createNodeTransport({ baseUrl, httpVersion: '1.1', interceptors: [withKey] }));
  };

  it('is a key that is revoked, and no other', async () => {
    const { created } = await guerdon.admin.createApiKeys({
      keys: [
        { kind: ApiKeyKind.ADMIN, name: 'a' },
        { kind: ApiKeyKind.APPLICATION, name: 'b', userId: 'ada' },
        { kind: ApiKeyKind.ADMIN, name: 'c' },
      ],
    });
    const [admin = '', app = '', other = ''] = created.map(({ key }) => key);
    const overGrpc = (key: string) => clientsOf(guerdon.grpcPort, key).points;
    const ended = [await watching(overGrpc(admin)), await watching(overHttp(admin)), await watching(overGrpc(app))];
    const stays = watchUntil(overGrpc(other), 'ada', 2n);
    await guerdon.admin.archiveApiKeys({ prefixes: [admin, app].map((key) => key.split('.')[0] as string) });
    for (const { end } of ended) expect(await end).toBe(Code.Unauthenticated);
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    expect((await stays).at(-1)?.version).toBe(2n);
  });

  it('is a project that is archived', async () => {
    const { created } = await guerdon.admin.createProjects({ projects: [{ key: 'other', name: 'Other' }] });
    const other = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
    const { file } = await guerdon.admin.exportEconomy({});
    await other.admin.applyEconomy({ file });
    await other.users.createUser({ user: { id: 'ada' } });
    const { end } = await watching(other.points);
    await guerdon.admin.archiveProjects({ keys: ['other'] });
    expect(await end).toBe(Code.Unauthenticated);
  });

  it('is a points system that is archived', async () => {
    await guerdon.admin.createPointsSystems({ systems: [{ key: 'gems', name: 'Gems' }] });
    const { end } = await watching(guerdon.points, 'ada', 'gems');
    await guerdon.admin.archivePointsSystems({ keys: ['gems'] });
    expect(await end).toBe(Code.NotFound);
  });

  it('is a deadline of the caller, told as such, however far away it was', async () => {
    for (const points of [guerdon.points, overHttp(KEY)]) {
      const answers = points.watchUserPoints({ userId: 'ada', systemKey: 'xp' }, { timeoutMs: 500 });
      const all = async () => {
        for await (const answer of answers) expect(answer.entry).toBeUndefined();
      };
      await expect(all()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
      const gone = new AbortController();
      const options = { timeoutMs: 86_400_000, signal: gone.signal };
      const day = points.watchUserPoints({ userId: 'ada', systemKey: 'xp' }, options)[Symbol.asyncIterator]();
      expect((await day.next()).value.total).toBeGreaterThan(0n);
      gone.abort();
      await day.next().catch(() => {});
    }
  });
});

it('a server that stops ends the watching, and tells to call again', async () => {
  const guerdon = await startGuerdon();
  await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
  const stream = guerdon.points.watchUserPoints({ userId: 'ada', systemKey: 'xp' })[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next().then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );
  await guerdon.running.close();
  expect(await next).toBe(Code.Unavailable);
  await guerdon.database.drop();
});

it('who goes away is forgotten', async () => {
  const guerdon = await startGuerdon();
  await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
  const gone = new AbortController();
  const stream = guerdon.points.watchUserPoints({ userId: 'ada', systemKey: 'xp' }, { signal: gone.signal });
  const answers = stream[Symbol.asyncIterator]();
  await answers.next();
  const looks = async () => {
    const { rows } = await guerdon.database.pool.query(
      `select from pg_stat_activity where datname = current_database() and query like '%and c.due_at <=%'
        and query_start > now() - interval '150 ms' and pid <> pg_backend_pid()`,
    );
    return rows.length;
  };
  await until(async () => (await looks()) > 0, { what: 'the account to be looked at' });
  gone.abort();
  await answers.next().catch(() => {});
  const quiet = { since: 0 };
  await until(
    async () => {
      if ((await looks()) > 0) quiet.since = performance.now();
      return performance.now() - quiet.since > 600;
    },
    { what: 'nobody to look any more' },
  );
  await guerdon.close();
});
