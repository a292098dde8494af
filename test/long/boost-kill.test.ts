import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { describeOnBackends, privateRedis } from '../support/backends.ts';
import { addBoosts, addUsers, announced, listen, statuses } from '../support/boosts.ts';
import { environment, spawnGuerdon, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

const BOOSTS = 2_000;
const LEAD_MS = 6_000;

describeOnBackends('two workers that are killed in the middle of activation', (kind) => {
  it('leave nothing half done: every boost is activated once, and everything is announced once', async () => {
    const redis = kind === 'redis' ? await privateRedis() : undefined;
    const url: Record<string, string> = redis === undefined ? {} : { REDIS_URL: redis.url };
    const guerdon = await startGuerdon(kind, { ...url, GUERDON_ROLE: 'api' });
    const { database } = guerdon;
    await listen(database);
    const spawnWorkers = () =>
      Promise.all([1, 2].map(() => spawnGuerdon(environment(database, kind, { ...url, GUERDON_ROLE: 'worker' }))));
    const users = await addUsers(database, BOOSTS, 'UTC');
    const workers = await spawnWorkers();
    const start = Date.now() + LEAD_MS;
    const window = { startTime: timestampFromMs(start), endTime: timestampFromMs(start + 1_000) };
    await addBoosts(guerdon, users, window);
    expect(Date.now()).toBeLessThan(start);
    const blocker = await database.pool.connect();
    await blocker.query('begin; lock table outbox in share row exclusive mode');
    if (redis !== undefined) await redis.flush();

    const waiting = await untilBothClaim(guerdon, start);
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    // The one claim dies with its worker, the other one outlives it and is committed.
    await database.pool.query('select pg_terminate_backend($1)', [waiting[0]]);
    await blocker.query('commit');
    blocker.release();
    await until(async () => (await claiming(guerdon)).length === 0, { what: 'both claims to end' });
    expect((await announced(database)).started).toBeLessThan(BOOSTS);

    const others = await spawnWorkers();
    await until(async () => (await statuses(database)).finished === BOOSTS, { what: 'all to be finished' });
    expect(await announced(database)).toEqual({ started: BOOSTS, finished: BOOSTS, again: 0 });
    await Promise.all(others.map((worker) => worker.end()));
    await guerdon.close();
    await redis?.stop();
  }, 120_000);
});

/** Backends that are in the middle of a claim. */
async function claiming({ database }: TestGuerdon): Promise<number[]> {
  const { rows } = await database.pool.query(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and query like 'with clock%'`,
  );
  return rows.map((row) => row.pid);
}

/** Looks are asked for until both workers have begun to claim. */
async function untilBothClaim(guerdon: TestGuerdon, start: number): Promise<number[]> {
  const { schedule } = guerdon.running.context;
  let pids: number[] = [];
  await until(
    async () => {
      const now = Date.now();
      if (now > start) await schedule.at(now, now);
      pids = await claiming(guerdon);
      return pids.length === 2;
    },
    { what: 'both workers to claim' },
  );
  return pids;
}
