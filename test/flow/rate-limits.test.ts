import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { ErrorInfoSchema, QuotaFailureSchema, RetryInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { ApiKeyKind } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { start } from '../../src/process.ts';
import { describeOnBackends, itWithRedisServer, privateRedis } from '../support/backends.ts';
import { createDatabase } from '../support/database.ts';
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

const HOUR = 3_600;

const failure = (call: Promise<unknown>): Promise<ConnectError | undefined> =>
  call.then(
    () => undefined,
    (thrown) => ConnectError.from(thrown),
  );

async function newKey(
  { admin }: Clients,
  rateLimit?: { requests: number; seconds: number },
  more: object = { kind: ApiKeyKind.ADMIN },
): Promise<string> {
  const { created, issues } = await admin.createApiKeys({
    keys: [{ kind: ApiKeyKind.ADMIN, name: 'k', rateLimit, ...more }],
  });
  expect(issues).toEqual([]);
  return created[0]?.key ?? '';
}

describeOnBackends('a limit', (kind) => {
  let guerdon: TestGuerdon;
  let other: GuerdonProcess;
  beforeAll(async () => {
    const limit = { GUERDON_RATE_LIMIT: `3/${HOUR}` };
    guerdon = await startGuerdon(kind, limit);
    other = await spawnGuerdon(environment(guerdon.database, kind, { ...limit, GUERDON_ROLE: 'api' }));
  });
  afterAll(async () => {
    await other.end();
    await guerdon.close();
  });
  const callersOf = (key: string) => [clientsOf(guerdon.grpcPort, key), clientsOf(other.grpcPort, key)];

  it('lets exactly so many calls pass, of all processes together', async () => {
    const [here, there] = callersOf(await newKey(guerdon, { requests: 50, seconds: HOUR }));
    const calls = Array.from({ length: 200 }, (_, index) =>
      failure((index % 2 ? here : there)?.admin.getProject({}) as never),
    );
    const failures = (await Promise.all(calls)).filter((error) => error !== undefined);
    expect(failures).toHaveLength(150);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set([Code.ResourceExhausted]));
  });

  it('is told with what is exceeded and when to come again', async () => {
    const key = await newKey(guerdon, { requests: 1, seconds: HOUR });
    const [here, there] = callersOf(key);
    await here?.admin.getProject({});
    for (const caller of [here, there, here]) {
      const error = (await failure(caller?.admin.getProject({}) as never)) as ConnectError;
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'RATE_LIMITED' }]);
      const [retry] = error.findDetails(RetryInfoSchema);
      expect(Number(retry?.retryDelay?.seconds)).toBeGreaterThan(HOUR - 60);
      expect(Number(retry?.retryDelay?.seconds)).toBeLessThanOrEqual(HOUR);
      const [quota] = error.findDetails(QuotaFailureSchema);
      expect(quota?.violations).toMatchObject([
        { subject: `api_key:${key.split('.')[0]}`, description: `1 requests in ${HOUR} s` },
      ]);
    }
    const url = `http://127.0.0.1:${guerdon.httpPort}/guerdon.v1.AdminService/GetProject`;
    const headers = { 'content-type': 'application/json', 'x-api-key': key };
    const response = await fetch(url, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(429);
    const said = (name: string) => Number(response.headers.get(name));
    expect([said('x-ratelimit-limit'), said('x-ratelimit-remaining')]).toEqual([1, 0]);
    expect(said('retry-after')).toBeGreaterThan(HOUR - 60);
    expect(Math.abs(said('x-ratelimit-reset') - (Date.now() / 1000 + said('retry-after')))).toBeLessThan(60);
  });

  it('is told by every answer of the REST surface', async () => {
    const key = await newKey(guerdon, { requests: 2, seconds: HOUR });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${guerdon.httpPort}${path}`, { headers: { 'x-api-key': key } });
      const said = ['limit', 'remaining', 'reset'].map((name) => Number(response.headers.get(`x-ratelimit-${name}`)));
      const again = response.headers.get('retry-after');
      return { status: response.status, said, again, body: await response.json() };
    };
    const answers = [await get('/v1/points/xp'), await get('/v1/points/nothing'), await get('/v1/points/xp')];
    expect(answers.map(({ status, said, again }) => [status, said[0], said[1], again !== null])).toEqual([
      [200, 2, 1, false],
      [404, 2, 0, false],
      [429, 2, 0, true],
    ]);
    const now = Date.now() / 1_000;
    for (const { said } of answers) expect(said[2]).toBeGreaterThan(now + HOUR - 60);
    expect(answers[2]?.body).toEqual({ error: expect.stringContaining(`2 requests in ${HOUR} s`) });
  });

  it('holds for a window, and then for the next', async () => {
    const [here, there] = callersOf(await newKey(guerdon, { requests: 2, seconds: 1 }));
    for (let window = 0; window < 3; window += 1) {
      const pass = () => failure(here?.admin.getProject({}) as never).then((error) => error === undefined);
      await until(pass, { what: 'the next window' });
      const calls = Array.from({ length: 20 }, (_, index) =>
        failure((index % 2 ? here : there)?.admin.getProject({}) as never),
      );
      expect((await Promise.all(calls)).filter((error) => error !== undefined).length).toBeGreaterThan(0);
    }
  });

  it('is the default for application keys only; a limit of its own, or none, goes before it', async () => {
    const app = { kind: ApiKeyKind.APPLICATION, userId: 'ada' };
    const passes = async (key: string) => {
      const caller = clientsOf(guerdon.grpcPort, key);
      const calls = Array.from({ length: 10 }, () => failure(caller.points.listPointsSystems({})));
      return (await Promise.all(calls)).filter((error) => error === undefined).length;
    };
    expect(await passes(await newKey(guerdon))).toBe(10);
    expect(await passes(await newKey(guerdon, undefined, app))).toBe(3);
    expect(await passes(await newKey(guerdon, { requests: 7, seconds: HOUR }, app))).toBe(7);
    expect(await passes(await newKey(guerdon, { requests: 0, seconds: 0 }, app))).toBe(10);
  });

  it('is changed within a second, and begins a window of its own', async () => {
    const key = await newKey(guerdon, { requests: 1, seconds: HOUR });
    const prefix = key.split('.')[0] ?? '';
    const caller = clientsOf(guerdon.grpcPort, key);
    await caller.admin.getProject({});
    expect((await failure(caller.admin.getProject({})))?.code).toBe(Code.ResourceExhausted);
    await guerdon.admin.updateApiKeys({ updates: [{ prefix, rateLimit: { requests: 5, seconds: HOUR } }] });
    const passes = async () => (await failure(caller.admin.getProject({}))) === undefined;
    await until(passes, { what: 'the limit to be another' });
    expect([await passes(), await passes(), await passes(), await passes(), await passes()]).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('a store that does not answer', () => {
  async function logged(env: Record<string, string>) {
    const lines: { level: number; msg: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const running = await start(env, log, () => {});
    const { admin } = clientsOf(running.grpcPort as number);
    const notCounted = () => lines.filter(({ msg }) => msg.includes('not counted')).length;
    return { running, admin, notCounted };
  }

  it('is not asked for keys without a limit; for others it lets calls pass, and is logged once', async () => {
    const database = await createDatabase();
    const { running, admin, notCounted } = await logged(environment(database, 'postgres'));
    const key = await newKey({ admin } as Clients, { requests: 1, seconds: HOUR });
    const caller = clientsOf(running.grpcPort as number, key);
    await database.pool.query('alter table rate_limits rename to elsewhere');
    for (const free of [KEY, await newKey({ admin } as Clients)]) {
      await clientsOf(running.grpcPort as number, free).admin.getProject({});
    }
    expect(notCounted()).toBe(0);
    const calls = Array.from({ length: 20 }, () => failure(caller.admin.getProject({})));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, () => undefined));
    expect(notCounted()).toBe(1);
    await database.pool.query('alter table elsewhere rename to rate_limits');
    await until(async () => (await failure(caller.admin.getProject({})))?.code === Code.ResourceExhausted, {
      what: 'the limit to hold again',
    });
    await running.close();
    await database.drop();
  });

  itWithRedisServer('may be a Redis that is killed, and counts again when it is back', async () => {
    const database = await createDatabase();
    const redis = await privateRedis();
    if (redis === undefined) throw new Error('there is no Redis');
    const { running, admin, notCounted } = await logged(environment(database, 'postgres', { REDIS_URL: redis.url }));
    const key = await newKey({ admin } as Clients, { requests: 2, seconds: HOUR });
    const caller = clientsOf(running.grpcPort as number, key);
    await caller.admin.getProject({});
    await redis.kill();
    const calls = Array.from({ length: 20 }, () => failure(caller.admin.getProject({})));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, () => undefined));
    expect(notCounted()).toBe(1);
    await redis.restart();
    await until(async () => (await failure(caller.admin.getProject({})))?.code === Code.ResourceExhausted, {
      what: 'the limit to hold again',
    });
    await running.close();
    await redis.stop();
    await database.drop();
  });
});

it.each(['10', '10/0', '0/10', '10/s', '1000001/1', '1/86401', '-1/1'])(
  'GUERDON_RATE_LIMIT is not %s',
  async (value) => {
    await expect(start({ GUERDON_RATE_LIMIT: value }, pino({ level: 'silent' }), () => {})).rejects.toThrow(
      'GUERDON_RATE_LIMIT',
    );
  },
);
