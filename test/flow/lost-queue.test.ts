import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { v7 } from 'uuid';
import { accept } from '../../src/commands/accept.ts';
import type { EventCommand } from '../../src/commands/command.ts';
import { privateRedis } from '../support/backends.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { loadBalances, startLoad } from '../support/load.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/wait.ts';

const LOAD = { count: 1_200, users: 30 };
const ACCEPTED = 200;

/** Rows that were accepted and whose jobs are lost: stored durably, never queued. */
async function acceptLessons(guerdon: TestGuerdon): Promise<void> {
  const { pool } = guerdon.database;
  const { rows } = await pool.query(`select p.id as project, m.id as metric from projects p join metrics m
    on m.project_id = p.id where m.key = 'lessons'`);
  const now = Date.now();
  const commands = Array.from(
    { length: ACCEPTED },
    (_, index): EventCommand => ({
      kind: 'event',
      id: v7(),
      projectId: rows[0].project,
      user: `accepted${index % 10}`,
      profile: {},
      metricId: rows[0].metric,
      value: '1',
      attributes: {},
      key: `k${index}`,
      occurredAt: now,
      occurredAtSent: false,
      receivedAt: now,
      inbox: true,
    }),
  );
  await accept(pool, commands, now);
}

async function expectNothingLost(guerdon: TestGuerdon): Promise<void> {
  await until(async () => (await guerdon.database.pool.query('select from inbox')).rowCount === 0, {
    what: 'every accepted row to be applied',
  });
  const accepted = loadBalances({ count: ACCEPTED, users: 10, prefix: 'accepted' });
  expect(await balancesOf(guerdon.database, 'xp')).toEqual({ ...loadBalances(LOAD), ...accepted });
  await expectSound(guerdon.database);
}

const binary = process.env.GUERDON_TEST_REDIS_SERVER;
const describeWithServer = binary === undefined ? describe.skip : describe;

describeWithServer(`a Redis that loses everything${binary === undefined ? ': NOT RUN, no redis-server' : ''}`, () => {
  it('by FLUSHALL, with calls and accepted rows in flight: nobody hangs, nothing is lost, nothing doubled', async () => {
    const redis = (await privateRedis()) as RedisServer;
    const guerdon = await startGuerdon('redis', { REDIS_URL: redis.url });
    const admin = new Redis(redis.url);
    await acceptLessons(guerdon);
    const load = startLoad(() => guerdon, LOAD);
    for (const mark of [200, 400, 600, 800]) {
      await until(() => load.answered >= mark, { what: `${mark} answers` });
      await admin.flushall();
    }
    await load.done;
    await expectNothingLost(guerdon);
    admin.disconnect();
    await guerdon.close();
    await redis.stop();
  }, 120_000);

  it('by being killed and started again, empty', async () => {
    const redis = (await privateRedis()) as RedisServer;
    const guerdon = await startGuerdon('redis', { REDIS_URL: redis.url });
    await acceptLessons(guerdon);
    const load = startLoad(() => guerdon, LOAD);
    for (const mark of [300, 700]) {
      await until(() => load.answered >= mark, { what: `${mark} answers` });
      await redis.kill();
      await redis.restart();
    }
    await load.done;
    await expectNothingLost(guerdon);
    await guerdon.close();
    await redis.stop();
  }, 120_000);
});
