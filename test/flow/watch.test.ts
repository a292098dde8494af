import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PointsService, type WatchUserPointsResponse } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import {
  type Clients,
  clientsOf,
  environment,
  type GuerdonProcess,
  KEY,
  spawnGuerdon,
  startGuerdon,
} from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

type Points = Clients['points'];

/** Takes what is sent until a version is reached; gives all of it. */
async function watchUntil(points: Points, userId: string, version: bigint): Promise<WatchUserPointsResponse[]> {
  const seen: WatchUserPointsResponse[] = [];
  for await (const answer of points.watchUserPoints({ userId, systemKey: 'xp' })) {
    seen.push(answer);
    if (answer.version >= version) break;
  }
  return seen;
}

/** Each answer continues the one before: no change is missing, none comes twice. */
function expectWhole(seen: readonly WatchUserPointsResponse[]): void {
  for (const [index, answer] of seen.entries()) {
    if (index === 0) {
      expect(answer.entry).toBeUndefined();
      continue;
    }
    const before = seen[index - 1] as WatchUserPointsResponse;
    expect(answer.version).toBe(before.version + 1n);
    expect(answer.total).toBe(before.total + (answer.entry?.amount ?? 0n));
  }
}

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

  it('500 watchers miss nothing, and one who does not read holds up none of them', async () => {
    const users = Array.from({ length: 100 }, (_, index) => `crowd${index}`);
    for (const user of users) await lesson(here, user);
    const lazy = here.points.watchUserPoints({ userId: 'crowd0', systemKey: 'xp' })[Symbol.asyncIterator]();
    await lazy.next();
    const changes = 5n;
    const watchers = Array.from({ length: 500 }, (_, index) =>
      watchUntil(here.points, users[index % users.length] as string, 1n + changes),
    );
    for (let round = 0n; round < changes; round += 1n) {
      await Promise.all(users.map((user, index) => lesson(index % 2 === 0 ? here : there, user)));
    }
    for (const seen of await Promise.all(watchers)) {
      expectWhole(seen);
      expect(seen.at(-1)?.total).toBe(60n);
    }
    // The one who did not read finds all of it, in order, when it does.
    const late = [];
    for (let version = 1n; version < 1n + changes; ) {
      const { value } = await lazy.next();
      late.push(value);
      version = value.version;
    }
    expect(late.map(({ version }) => version)).toEqual([2n, 3n, 4n, 5n, 6n]);
    await lazy.return?.();
  }, 60_000);

  it('is refused for who is not known, and ends when the points system goes', async () => {
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
    await expect(watchUntil(app.points, 'crowd1', 0n)).rejects.toMatchObject({ code: Code.PermissionDenied });
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
      `select from pg_stat_activity where datname = current_database() and query like '%join accounts a using (user_id, system_id) where a.version > 0%'
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
