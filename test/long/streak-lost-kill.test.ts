import { expect, it } from '@jest/globals';
import { describeOnBackends, privateRedis } from '../support/backends.ts';
import { addUsers, announcements, listen } from '../support/boosts.ts';
import type { TestDatabase } from '../support/database.ts';
import { environment, spawnGuerdon, startGuerdon } from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

const USERS = 2_000;
const ECONOMY = { metrics: [{ key: 'lessons', name: 'Lessons' }], streak: { frequency: 'daily' } };

describeOnBackends('workers that are killed while they tell of lost streaks', (kind) => {
  it('tell each loss once, whatever becomes of the queue', async () => {
    const redis = kind === 'redis' ? await privateRedis() : undefined;
    const url: Record<string, string> = redis === undefined ? {} : { REDIS_URL: redis.url };
    const guerdon = await startGuerdon(kind, { ...url, GUERDON_ROLE: 'api' });
    const { database } = guerdon;
    await guerdon.admin.applyEconomy({ file: JSON.stringify(ECONOMY), allowStranding: true });
    await listen(database);
    await addUsers(database, USERS, 'UTC');
    await database.pool.query(
      `insert into streak_runs (user_id, frequency, first_period, last_period, due_at)
      select id, 'daily', current_date - date '1970-01-01' - 9, current_date - date '1970-01-01' - 5,
        now() - interval '3 days' from users`,
    );
    const blocker = await database.pool.connect();
    await blocker.query('begin; lock table outbox in share row exclusive mode');
    const spawnWorkers = () =>
      Promise.all([1, 2].map(() => spawnGuerdon(environment(database, kind, { ...url, GUERDON_ROLE: 'worker' }))));
    const workers = await spawnWorkers();
    await until(async () => (await telling(database)).length >= 2, { what: 'two lanes to tell of losses' });
    if (redis !== undefined) await redis.flush();
    const [one] = await telling(database);
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    // One batch dies with its worker, the others outlive it and are committed.
    await database.pool.query('select pg_terminate_backend($1)', [one]);
    await blocker.query('commit');
    blocker.release();
    await until(async () => (await telling(database)).length === 0, { what: 'all batches to end' });
    expect((await losses(database)).length).toBeLessThan(USERS);

    const others = await spawnWorkers();
    await until(async () => (await due(database)) === 0, { what: 'all losses to be told' });
    const told = await losses(database);
    expect([told.length, new Set(told).size]).toEqual([USERS, USERS]);
    await Promise.all(others.map((worker) => worker.end()));
    await guerdon.close();
    await redis?.stop();
  }, 120_000);
});

/** Backends that are in the middle of telling. */
async function telling({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and query like 'insert into outbox%'`,
  );
  return rows.map((row) => row.pid);
}

async function losses(database: TestDatabase): Promise<(string | null)[]> {
  const all = await announcements(database);
  return all.flatMap(({ kind, user_id }) => (kind === 'streak_lost' ? [user_id] : []));
}

async function due({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query('select count(*)::int from streak_runs where due_at is not null');
  return rows[0].count;
}
