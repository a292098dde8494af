import { createHmac } from 'node:crypto';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { WebhookDeliveryStatus } from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import { describeOnBackends, itWithRedisServer, privateRedis } from '../support/backends.ts';
import { environment, spawnGuerdon, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/wait.ts';
import { ALLOWED, addWebhook, deliveriesOf, pseudoRandom, testClock } from '../support/webhooks.ts';

const { DELIVERED, PENDING } = WebhookDeliveryStatus;

const lesson = (guerdon: Pick<TestGuerdon, 'events'>, user: string, value = '1') =>
  guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value });

describeOnBackends('what happens', (kind) => {
  it('is told to a webhook, signed, once, and is in its log', async () => {
    const receiver = await startReceiver();
    const guerdon = await startGuerdon(kind, ALLOWED);
    const { id, secret } = await addWebhook(guerdon, { url: `${receiver.url}/hooks?a=b` });
    await lesson(guerdon, 'ada', '30');
    const taken = await receiver.untilTaken(3);
    expect(taken.map(({ body }) => body.type).sort()).toEqual([
      'points.changed',
      'points.changed',
      'points.level_changed',
    ]);
    for (const { raw, headers, path } of taken) {
      expect(path).toBe('/hooks?a=b');
      expect(headers['x-trophy-signature']).toBe(createHmac('sha256', secret).update(raw).digest('base64'));
      expect(new StandardWebhook(secret).verify(raw, headers as Record<string, string>)).toEqual(JSON.parse(raw));
    }
    const log = () => deliveriesOf(guerdon, id);
    await until(async () => (await log()).every(({ status }) => status === DELIVERED), { what: 'the log' });
    expect((await log()).map((delivery) => delivery.id).sort()).toEqual(
      taken.map(({ headers }) => headers['webhook-id']).sort(),
    );
    expect((await log())[0]).toMatchObject({
      userId: 'ada',
      attempts: [{ statusCode: 200, error: '', answer: 'thank you' }],
    });
    expect(receiver.received).toHaveLength(3);
    expect((await guerdon.database.pool.query('select from outbox')).rowCount).toBe(0);
    await until(async () => (await guerdon.database.pool.query('select from webhook_queues')).rowCount === 0, {
      what: 'queues with nothing in them to go',
    });
    await guerdon.close();
    await receiver.close();
  });

  it('is told in its order, user by user, however often the receiver fails', async () => {
    const random = pseudoRandom(7);
    const receiver = await startReceiver((response) => {
      if (random() < 0.7) response.writeHead(200).end();
      else if (random() < 0.5) response.writeHead(500).end();
      else response.socket?.destroy();
    });
    const clock = testClock();
    const guerdon = await startGuerdon(kind, ALLOWED, clock.now);
    await addWebhook(guerdon, { url: receiver.url, eventTypes: ['points.changed'] });
    const users = ['ada', 'bob', 'cleo', 'dan'];
    const sent = Array.from({ length: 64 }, (_, index) => lesson(guerdon, users[index % 4] as string));
    await Promise.all(sent);
    // Each lesson changes xp and energy.
    // While calls are under way the clock stands, else their claims would end before they do.
    await until(
      async () => {
        const { rows } = await guerdon.database.pool.query(
          'select min(due_at) as due, count(lease)::int as held from webhook_queues',
        );
        const [{ due, held }] = rows as [{ due: Date | null; held: number }];
        if (held === 0) {
          clock.pass(Math.max(1_000, (due?.getTime() ?? 0) - clock.now()));
          await guerdon.running.context.webhooks.soon(clock.now());
        }
        return receiver.taken().length >= 128;
      },
      { what: 'all to be taken', timeoutMs: 90_000 },
    );
    expect(receiver.received.length).toBeGreaterThan(128);
    for (const user of users) {
      for (const system of ['xp', 'energy']) {
        const own = receiver.taken().filter(({ body }) => {
          const { user: told, points } = body as unknown as { user: { id: string }; points: { key: string } };
          return told.id === user && points.key === system;
        });
        const totals = own.map(({ body }) => (body.points as { total: number }).total);
        expect(totals).toEqual(Array.from({ length: 16 }, (_, index) => (index + 1) * (system === 'xp' ? 10 : 1)));
      }
    }
    await guerdon.close();
    await receiver.close();
  }, 120_000);

  it('is told by another worker where one is killed in the middle of its calls', async () => {
    const receiver = await startReceiver(() => {});
    const clock = testClock();
    const guerdon = await startGuerdon(kind, { ...ALLOWED, GUERDON_ROLE: 'api' }, clock.now);
    await addWebhook(guerdon, { url: receiver.url, eventTypes: ['points.changed'] });
    const worker = () => spawnGuerdon(environment(guerdon.database, kind, { ...ALLOWED, GUERDON_ROLE: 'worker' }));
    const first = await worker();
    await Promise.all(['ada', 'bob', 'cleo'].map((user) => lesson(guerdon, user)));
    await until(() => receiver.received.length === 3, { what: 'calls under way' });
    await first.end('SIGKILL');
    receiver.behave = (response) => response.writeHead(200).end();
    // What the dead worker holds is its own for half a minute; the test does not wait for that.
    await guerdon.database.pool.query(`update webhook_queues set due_at = now() where lease is not null`);
    const second = await worker();
    expect(await receiver.untilTaken(6)).toHaveLength(6);
    await second.end();
    await guerdon.close();
    await receiver.close();
  }, 120_000);
});

it('boosts that start and end are told when they do', async () => {
  const receiver = await startReceiver();
  const guerdon = await startGuerdon('postgres', ALLOWED);
  const eventTypes = ['points.boost_started', 'points.boost_finished'];
  await addWebhook(guerdon, { url: receiver.url, eventTypes });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  const window = { startTime: timestampFromMs(Date.now() - 1_000), endTime: timestampFromMs(Date.now() + 700) };
  const boost = { multiplier: '1.5', ...window };
  const { created } = await guerdon.boosts.createBoosts({
    systemKey: 'xp',
    boosts: [
      { ...boost, name: 'all' },
      { ...boost, name: 'hers', userId: 'ada' },
    ],
  });
  const taken = await receiver.untilTaken(4);
  const about = (name: string) => taken.filter(({ body }) => (body.boost as { name: string }).name === name);
  for (const [index, name, userId] of [
    [0, 'all', null],
    [1, 'hers', 'ada'],
  ] as const) {
    expect(about(name).map(({ body }) => body)).toEqual(
      ['active', 'finished'].map((status, turn) => ({
        type: eventTypes[turn],
        timestamp: new Date(
          Number((turn === 0 ? window.startTime : window.endTime).seconds) * 1_000 +
            (turn === 0 ? window.startTime : window.endTime).nanos / 1e6,
        ).toISOString(),
        boost: expect.objectContaining({
          id: created[index]?.id,
          name,
          status,
          userId,
          pointsSystemKey: 'xp',
          pointsSystemName: 'XP',
          multiplier: 1.5,
          rounding: 'down',
        }),
      })),
    );
  }
  await guerdon.close();
  await receiver.close();
});

it('nothing is written down for projects without webhooks, nor of kinds that none wants', async () => {
  const guerdon = await startGuerdon('postgres', { ...ALLOWED, GUERDON_ROLE: 'api' });
  const worker = await spawnGuerdon(environment(guerdon.database, 'postgres', { GUERDON_ROLE: 'worker' }));
  const { pool } = guerdon.database;
  const seen = () =>
    pool
      .query(`select kind from outbox union all select kind from webhook_deliveries order by 1`)
      .then(({ rows }) => rows);
  const boost = { name: 'b', multiplier: '2', startTime: timestampFromMs(Date.now() - 5_000) };
  await lesson(guerdon, 'ada', '30');
  await guerdon.boosts.createBoosts({ systemKey: 'xp', boosts: [boost] });
  expect(await seen()).toEqual([]);
  const { id } = await addWebhook(guerdon, { url: 'https://hooks.invalid', eventTypes: ['points.level_changed'] });
  await lesson(guerdon, 'bob', '30');
  await guerdon.boosts.createBoosts({ systemKey: 'xp', boosts: [{ ...boost, name: 'c' }] });
  expect(await seen()).toEqual([{ kind: 'level_changed' }]);
  await guerdon.webhooks.archiveWebhooks({ ids: [id] });
  const before = (await seen()).length;
  await lesson(guerdon, 'cleo', '30');
  expect((await seen()).length).toBeLessThanOrEqual(before);
  expect((await pool.query(`select from outbox where user_id = (select max(id) from users)`)).rowCount).toBe(0);
  await worker.end();
  await guerdon.close();
});

itWithRedisServer('a FLUSHALL loses nothing of what is to be told', async () => {
  const redis = await privateRedis();
  const url = redis?.url ?? '';
  const receiver = await startReceiver((response) => response.writeHead(500).end());
  const clock = testClock();
  const guerdon = await startGuerdon('redis', { ...ALLOWED, REDIS_URL: url }, clock.now);
  const { id } = await addWebhook(guerdon, { url: receiver.url, eventTypes: ['points.changed'] });
  const admin = new Redis(url);
  await Promise.all(['ada', 'bob', 'cleo'].map((user) => lesson(guerdon, user)));
  await until(() => receiver.received.length >= 3, { what: 'all to have failed' });
  await admin.flushall();
  receiver.behave = (response) => response.writeHead(200).end();
  clock.pass(60_000);
  await receiver.untilTaken(6);
  await until(async () => (await deliveriesOf(guerdon, id)).every(({ status }) => status !== PENDING), {
    what: 'all to be written down as delivered',
  });
  admin.disconnect();
  await guerdon.close();
  await receiver.close();
  await redis?.stop();
});
