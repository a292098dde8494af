import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import type { EventCommand } from '../../src/commands/command.ts';
import { laneOf } from '../../src/commands/command.ts';
import { isMachineryFailure } from '../../src/db/failures.ts';
import { TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { openBackend } from '../../src/queue/backend.ts';
import { Coalescer } from '../../src/queue/coalesce.ts';
import { itWithRedisServer, privateRedis } from '../support/backends.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

// What breaks under way: connections, locks, name resolution, rows.

/** The first time an event with key `k0` is inserted, its connection is lost. */
async function loseConnectionOnce({ pool }: TestDatabase): Promise<void> {
  await pool.query('create sequence hits');
  await pool.query(`create function lose_connection() returns trigger language plpgsql as $$ begin
    if new.key = 'k0' and nextval('hits') = 1 then
      perform pg_terminate_backend(pg_backend_pid());
      perform pg_sleep(1);
    end if;
    return new;
  end $$`);
  await pool.query(
    'create trigger lose_connection before insert on events for each row execute function lose_connection()',
  );
}

const hits = async ({ pool }: TestDatabase) =>
  Number((await pool.query('select last_value from hits')).rows[0].last_value);

describe('a connection that is lost in the middle of a batch', () => {
  it('costs time: the process goes on, and the call is answered', async () => {
    const database = await createDatabase();
    const guerdon = await spawnGuerdon(environment(database, 'postgres'));
    await loseConnectionOnce(database);
    const event = { metricKey: 'lessons', user: { id: 'ada' }, value: '1', idempotencyKey: 'k0' };
    const answer = await clientsOf(guerdon.grpcPort).events.sendEvent(event);
    expect(answer.points.xp?.added).toBe(10n);
    expect(guerdon.child.exitCode).toBeNull();
    expect(await guerdon.end()).toBe(0);
    await expectSound(database);
    await database.drop();
  });

  it('does not change the order of a list', async () => {
    const guerdon = await startGuerdon();
    const { admin, database, events, points } = guerdon;
    const files = { case: 'metric', value: { metricKey: 'files', threshold: '1' } } as const;
    await admin.createTriggers({ systemKey: 'xp', triggers: [{ key: 'cost', points: -5n, type: files }] });
    await loseConnectionOnce(database);
    const list = Array.from({ length: 400 }, (_, index) => ({
      metricKey: index < 200 ? 'commits' : 'files',
      user: { id: 'ada' },
      value: '1',
      idempotencyKey: `k${index}`,
    }));
    const { results } = await events.sendEvents({ events: list });
    expect(results.filter(({ result }) => result.case === 'error')).toEqual([]);
    expect(await hits(database)).toBeGreaterThan(1);
    expect((await points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total).toBe(1_000n);
    await expectSound(database);
    await guerdon.close();
  });
});

describe('lanes that somebody holds and does not let go', () => {
  const LANE_LOCK = 1_735_750_770;
  let guerdon: TestGuerdon;
  let project = '';
  beforeAll(async () => {
    guerdon = await startGuerdon();
    project = (await guerdon.database.pool.query('select id from projects')).rows[0].id;
  });
  afterAll(() => guerdon.close());

  function usersIn(lane: number, count: number, prefix: string): string[] {
    const users: string[] = [];
    for (let index = 0; users.length < count; index += 1) {
      const user = `${prefix}${index}`;
      if (laneOf({ projectId: project, user }, guerdon.running.context.lanes) === lane) users.push(user);
    }
    return users;
  }
  const lesson = (user = '') =>
    guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value: '1' }, { timeoutMs: 30_000 });

  it.each([[[0, 1, 2]], [[0]]])(
    'lanes %j: the others go on, and theirs are applied when the lanes are free',
    async (held) => {
      const rounds = 80;
      const prefix = `u${held.length}-`;
      const stuckUsers = held.flatMap((lane) => usersIn(lane, rounds, prefix));
      const freeUsers = [3, 4, 5, 6, 7].flatMap((lane) => usersIn(lane, 1, prefix));
      const holder = await guerdon.database.pool.connect();
      for (const lane of held) await holder.query('select pg_advisory_lock($1, $2)', [LANE_LOCK, lane]);
      const stuck: ReturnType<typeof lesson>[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        stuck.push(...stuckUsers.splice(0, held.length).map((user) => lesson(user)));
        await lesson(freeUsers[round % freeUsers.length]);
      }
      await holder.query('select pg_advisory_unlock_all()');
      holder.release();
      expect((await Promise.all(stuck)).every((answer) => answer.points.xp?.total === 10n)).toBe(true);
      await expectSound(guerdon.database);
    },
    60_000,
  );
});

it('a row that the database itself fails on stops nobody else in the batch', async () => {
  const guerdon = await startGuerdon();
  const { pool } = guerdon.database;
  await pool.query(`create function corrupt() returns trigger language plpgsql as $$ begin
    if new.key = 'bad' then raise exception 'invalid page' using errcode = 'XX001'; end if; return new; end $$`);
  await pool.query('create trigger corrupt before insert on events for each row execute function corrupt()');
  const events = Array.from({ length: 40 }, (_, index) => ({
    metricKey: 'lessons',
    user: { id: `user${index}` },
    value: '1',
    idempotencyKey: index === 7 ? 'bad' : 'good',
  }));
  const { results } = await guerdon.events.sendEvents({ events });
  expect(results.map(({ result }) => result.case === 'event')).toEqual(events.map((_, index) => index !== 7));
  expect(Object.keys(await balancesOf(guerdon.database, 'xp'))).toHaveLength(39);
  await guerdon.close();
});

it('an event whose withheld points no message can hold is told all the same, also in lists', async () => {
  const guerdon = await startGuerdon();
  const { admin, database, events, points } = guerdon;
  const hundredth = { case: 'metric', value: { threshold: '0.01' } } as const;
  await admin.updateTriggers({ systemKey: 'energy', updates: [{ trigger: { key: 'lesson', type: hundredth } }] });
  const off = { key: 'lesson', status: TriggerStatus.INACTIVE };
  await admin.updateTriggers({ systemKey: 'xp', updates: [{ trigger: off }] });
  const event = { metricKey: 'lessons', user: { id: 'ada' }, value: '99999999999999999', idempotencyKey: 'k' };
  for (const idempotentReplayed of [false, true]) {
    const answer = await events.sendEvent(event);
    expect(answer).toMatchObject({ idempotentReplayed, points: { energy: { total: 25n, withheld: 2n ** 63n - 1n } } });
  }
  expect((await events.listEvents({ userId: 'ada' })).events).toHaveLength(1);
  expect((await points.getUserPoints({ userId: 'ada', systemKey: 'energy' })).awards).toHaveLength(1);
  await expectSound(database);
  await guerdon.close();
});

it.each([
  ...[
    'ECONNREFUSED',
    'EPIPE',
    'EAI_AGAIN',
    'ERR_SOCKET_CLOSED',
    'CERT_HAS_EXPIRED',
    '57P01',
    '55P03',
    '0A000',
    '40003',
  ].map((code) => [code, true] as const),
  ...['22P02', '23505', 'XX001', 'ERR_INVALID_ARG_TYPE'].map((code) => [code, false] as const),
])('a failure with code %s is one of the machinery: %s', (code, machinery) => {
  expect(isMachineryFailure(Object.assign(new Error('x'), { code }))).toBe(machinery);
});

itWithRedisServer(
  'while Redis is away nothing is kept for callers that have given up, and a stop does not wait for it',
  async () => {
    const redis = await privateRedis();
    const redisUrl = redis?.url ?? '';
    const guerdon = await startGuerdon('redis', { REDIS_URL: redisUrl });
    const backend = openBackend({ redisUrl, databaseUrl: guerdon.database.url, deployment: 'x', onError: () => {} });
    const queue = backend.queue();
    let failures = 0;
    const coalescer = new Coalescer({
      queue,
      wanted: () => failures === 0,
      sent: () => {},
      onError: () => {
        failures += 1;
      },
      now: () => 0,
      delay: () => Promise.resolve(),
    });
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    await redis?.kill();
    const commands = Array.from({ length: 2_000 }, () => ({ kind: 'event', id: v7(), key: null }) as EventCommand);
    for (const command of commands) coalescer.add([command], Promise.resolve());
    await coalescer.idle();
    expect(failures).toBe(1);
    await until(async () => (await fetch(`http://127.0.0.1:${guerdon.httpPort}/healthz`)).ok, { what: 'an answer' });
    await guerdon.running.close();
    await backend.close();
    await guerdon.database.drop();
    await redis?.stop();
  },
  60_000,
);
