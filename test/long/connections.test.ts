import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, it } from '@jest/globals';
import { Health, HealthCheckResponse_ServingStatus as Serving } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { describeOnBackends } from '../support/backends.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon, startGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { loadBalances, startLoad } from '../support/load.ts';
import { until } from '../support/wait.ts';

const LOAD = { count: 900, users: 30 };

describeOnBackends('a PostgreSQL that ends every connection, again and again', (kind) => {
  it('costs time: no process dies, and every balance is exact', async () => {
    const database = await createDatabase();
    const guerdon = await spawnGuerdon(environment(database, kind));
    const clients = clientsOf(guerdon.grpcPort);
    const load = startLoad(() => clients, LOAD);
    for (const mark of [150, 350, 550, 750]) {
      await until(() => load.answered >= mark, { what: `${mark} answers`, timeoutMs: 60_000 });
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'test'`,
      );
    }
    await load.done;
    expect(guerdon.child.exitCode).toBeNull();
    expect(await balancesOf(database, 'xp')).toEqual(loadBalances(LOAD));
    await guerdon.end();
    await expectSound(database);
    await database.drop();
  }, 120_000);
});

it('three processes that start at once on an empty database: all of them run, on one schema and one project', async () => {
  const database = await createEmptyDatabase();
  const processes = await Promise.all([1, 2, 3].map(() => spawnGuerdon(environment(database, 'postgres'))));
  const answers = await Promise.all(
    processes.map(({ grpcPort }, index) =>
      clientsOf(grpcPort).events.sendEvent({ metricKey: 'lessons', user: { id: `user${index}` }, value: '1' }),
    ),
  );
  expect(answers.map(({ points }) => points.xp?.total)).toEqual([10n, 10n, 10n]);
  expect((await database.pool.query('select key from projects')).rows).toEqual([{ key: 'demo' }]);
  await Promise.all(processes.map((one) => one.end()));
  await database.drop();
}, 60_000);

it('a stop lets calls in flight end: each is applied and answered, or told to call again', async () => {
  const database = await createDatabase();
  const guerdon = await spawnGuerdon(environment(database, 'postgres'));
  const { events } = clientsOf(guerdon.grpcPort);
  const calls = Array.from({ length: 200 }, (_, index) =>
    events.sendEvent({
      metricKey: 'lessons',
      user: { id: `user${index % 20}` },
      value: '1',
      idempotencyKey: `k${index}`,
    }),
  );
  await Promise.race(calls);
  const ended = guerdon.end('SIGTERM');
  const settled = await Promise.allSettled(calls);
  expect(await ended).toBe(0);
  const answered = settled.filter(({ status }) => status === 'fulfilled').length;
  expect(answered).toBeGreaterThan(0);
  const { rows } = await database.pool.query('select count(*)::int as applied from events');
  expect(rows[0].applied).toBeGreaterThanOrEqual(answered);
  await expectSound(database);
  await database.drop();
}, 60_000);

it('health is told as a whole and by service, once and as it changes', async () => {
  const guerdon = await startGuerdon();
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${guerdon.grpcPort}` });
  const health = createClient(Health, transport);
  expect((await health.check({})).status).toBe(Serving.SERVING);
  expect((await health.check({ service: 'guerdon.v1.BoostService' })).status).toBe(Serving.SERVING);
  await expect(health.check({ service: 'nobody' })).rejects.toThrow('unknown service');
  expect(Object.keys((await health.list({})).statuses)).toEqual(
    expect.arrayContaining(['', 'guerdon.v1.EventService', 'guerdon.v1.UserService', 'guerdon.v1.AdminService']),
  );
  for await (const { status } of health.watch({})) {
    expect(status).toBe(Serving.SERVING);
    break;
  }
  await guerdon.close();
});
