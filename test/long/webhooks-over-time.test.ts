import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import {
  WebhookDeliveryStatus,
  WebhookPausedReason,
  WebhookStatus,
} from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type Receiver, startReceiver, take } from '../support/receiver.ts';
import { until } from '../support/wait.ts';
import { ALLOWED, addWebhook, type Clock, deliveriesOf, testClock } from '../support/webhooks.ts';

const HOUR = 3_600_000;
const { DELIVERED, FAILED, PENDING } = WebhookDeliveryStatus;
const TYPES = { eventTypes: ['points.level_changed'] };

let guerdon: TestGuerdon;
let receiver: Receiver;
let clock: Clock;
beforeEach(async () => {
  clock = testClock();
  receiver = await startReceiver();
  guerdon = await startGuerdon('postgres', ALLOWED, clock.now);
});
afterEach(async () => {
  await guerdon.close();
  await receiver.close();
});

/** Takes a user from the first level to the next: one announcement. */
const levelUp = (user: string) =>
  guerdon.points.adjustPoints({ userId: user, systemKey: 'xp', amount: 100n, reason: 'r', idempotencyKey: 'up' });
const adjust = (user: string, amount: bigint, key: string) =>
  guerdon.points.adjustPoints({ userId: user, systemKey: 'xp', amount, reason: 'r', idempotencyKey: key });
const fail = (status: number) => (response: Parameters<typeof take>[0]) => response.writeHead(status).end('broken');
const webhookOf = async (id: string) => (await guerdon.webhooks.getWebhook({ id })).webhook;
const look = () => guerdon.running.context.webhooks.soon(clock.now());

async function untilReceived(count: number): Promise<void> {
  await until(() => receiver.received.length >= count, { what: `call ${count}` });
}

/** Lets time pass until the webhook has been called `count` times in all. */
async function passUntilReceived(count: number, ms: number): Promise<void> {
  while (receiver.received.length < count) {
    const before = receiver.received.length;
    clock.pass(ms);
    await look();
    await untilReceived(before + 1);
  }
}

const log = async (id: string) => (await deliveriesOf(guerdon, id)).reverse();
const untilLogged = (id: string, what: string, is: (deliveries: Awaited<ReturnType<typeof log>>) => boolean) =>
  until(async () => is(await log(id)), { what });

it('a receiver that answers 500 and then 200 is told the same event under the same id', async () => {
  receiver.behave = fail(500);
  const { id, secret } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await levelUp('ada');
  await untilReceived(1);
  await untilLogged(id, 'the failure', ([delivery]) => delivery?.attempts.length === 1);
  expect(await webhookOf(id)).toMatchObject({ failures: 1, failingSince: expect.anything() });
  receiver.behave = take;
  await passUntilReceived(2, 7_000);
  await untilLogged(id, 'the success', ([delivery]) => delivery?.status === DELIVERED);
  const [first, second] = receiver.received;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second?.raw).toBe(first?.raw);
  expect(Number(second?.headers['webhook-timestamp'])).toBeGreaterThan(Number(first?.headers['webhook-timestamp']));
  expect(second?.headers['x-trophy-signature']).toBe(
    createHmac('sha256', secret)
      .update(first?.raw ?? '')
      .digest('base64'),
  );
  expect(await log(id)).toMatchObject([
    {
      attempts: [
        { statusCode: 500, error: 'STATUS', answer: 'broken' },
        { statusCode: 200, error: '', answer: 'thank you' },
      ],
    },
  ]);
  expect(await webhookOf(id)).toMatchObject({ failures: 0 });
});

it('a webhook that hangs is in nobody’s way', async () => {
  const hanging = await startReceiver(() => {});
  await addWebhook(guerdon, { url: hanging.url, ...TYPES });
  await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  const users = Array.from({ length: 40 }, (_, index) => `user${index}`);
  await Promise.all(users.map((user) => guerdon.users.createUser({ user: { id: user } })));
  await Promise.all(users.map(levelUp));
  await receiver.untilTaken(40);
  // So many calls it may have at once, and no more.
  expect(hanging.received.length).toBeLessThanOrEqual(8);
  expect(hanging.taken()).toEqual([]);
  hanging.behave = take;
  await hanging.close();
});

it('a dead webhook is paused after three days; nothing is lost, and all is told when it is resumed', async () => {
  receiver.behave = fail(503);
  const { id } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await levelUp('ada');
  await untilReceived(1);
  for (let attempts = 1; (await webhookOf(id))?.status === WebhookStatus.ACTIVE; attempts += 1) {
    await untilLogged(id, `attempt ${attempts}`, ([delivery]) => delivery?.attempts.length === attempts);
    if ((await webhookOf(id))?.status !== WebhookStatus.ACTIVE) break;
    await passUntilReceived(attempts + 1, 29 * HOUR);
    expect(attempts).toBeLessThan(12);
  }
  expect(await webhookOf(id)).toMatchObject({
    pausedReason: WebhookPausedReason.DEAD,
    failures: receiver.received.length,
  });
  await adjust('ada', -100n, 'down');
  await untilLogged(id, 'what gathers', (deliveries) => deliveries.length === 2);
  clock.pass(200 * HOUR);
  await look();
  const calls = receiver.received.length;
  expect((await log(id)).map(({ status }) => status)).toEqual([PENDING, PENDING]);
  receiver.behave = take;
  expect((await guerdon.webhooks.resumeWebhook({ id })).webhook).toMatchObject({
    status: WebhookStatus.ACTIVE,
    failures: 0,
  });
  await receiver.untilTaken(2);
  expect(receiver.received).toHaveLength(calls + 2);
  const bodies = receiver.taken().map(({ body }) => body as unknown as { newLevel: { key: string } | null });
  expect(bodies.map(({ newLevel }) => newLevel?.key ?? null)).toEqual(['apprentice', 'novice']);
});

it('a delivery that is never taken is given up, what waited behind it is told, and it can be sent again', async () => {
  const { id } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  for (const user of ['ada', 'bob']) await guerdon.users.createUser({ user: { id: user } });
  receiver.behave = (response, { body }) => {
    const { user, newLevel } = body as unknown as { user: { id: string }; newLevel: { key: string } | null };
    response.writeHead(user.id === 'ada' && newLevel?.key === 'apprentice' ? 400 : 200).end();
  };
  await levelUp('ada');
  await untilReceived(1);
  await adjust('ada', -100n, 'down');
  for (let round = 1; round < 12; round += 1) {
    await untilLogged(id, `attempt ${round}`, ([delivery]) => delivery?.attempts.length === round);
    // The webhook is well: what concerns others is taken.
    await adjust('bob', round % 2 === 1 ? 100n : -100n, `bob${round}`);
    await receiver.untilTaken(round);
    clock.pass(29 * HOUR);
    await look();
  }
  await untilLogged(id, 'the first to be given up', ([delivery]) => delivery?.status === FAILED);
  await receiver.untilTaken(12);
  const [failed, behind] = await log(id);
  expect(failed?.attempts).toHaveLength(12);
  expect(behind).toMatchObject({ status: DELIVERED, userId: 'ada' });
  receiver.behave = take;
  expect((await guerdon.webhooks.resendWebhookDelivery({ id: failed?.id ?? '' })).delivery?.status).toBe(PENDING);
  await untilLogged(id, 'it to be delivered', ([delivery]) => delivery?.status === DELIVERED);
  expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(failed?.id);
  await guerdon.webhooks.resendWebhookDelivery({ id: failed?.id ?? '' });
  await untilLogged(id, 'it to be delivered once more', ([delivery]) => delivery?.attempts.length === 14);
  const listed = await guerdon.webhooks.listWebhookDeliveries({ webhookId: id, status: FAILED });
  expect(listed.deliveries).toEqual([]);
});

it.each([429, 503])('a receiver that answers %s with Retry-After is left alone for so long', async (status) => {
  receiver.behave = (response) => response.writeHead(status, { 'retry-after': '3600' }).end('busy');
  const { id } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await levelUp('ada');
  await untilReceived(1);
  await untilLogged(id, 'the failure', ([delivery]) => delivery?.attempts.length === 1);
  const { rows } = await guerdon.database.pool.query('select due_at, lease from webhook_queues');
  expect(rows).toMatchObject([{ lease: null }]);
  const wait = rows[0].due_at.getTime() - clock.now();
  expect(wait).toBeGreaterThan(HOUR - 30_000);
  expect(wait).toBeLessThanOrEqual(HOUR);
  receiver.behave = take;
  await passUntilReceived(2, HOUR);
  await untilLogged(id, 'the success', ([delivery]) => delivery?.status === DELIVERED);
});

it('410 Gone pauses at once', async () => {
  receiver.behave = fail(410);
  const { id } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await levelUp('ada');
  await until(async () => (await webhookOf(id))?.pausedReason === WebhookPausedReason.GONE, { what: 'the pause' });
  expect(await log(id)).toMatchObject([{ status: PENDING, attempts: [{ statusCode: 410 }] }]);
  const [delivery] = await log(id);
  await expect(guerdon.webhooks.resendWebhookDelivery({ id: delivery?.id ?? '' })).rejects.toThrow(/is paused/);
});

it('secrets overlap for 24 hours', async () => {
  const { id, secret: first } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  const { secret: second } = await guerdon.webhooks.rotateWebhookSecret({ id });
  const isSigned = (secret: string) => {
    const { raw, headers } = receiver.received.at(-1) as (typeof receiver.received)[number];
    const [header, at] = [headers['webhook-signature'] as string, headers['webhook-timestamp']];
    const signed = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'));
    return header.split(' ').includes(`v1,${signed.update(`${headers['webhook-id']}.${at}.${raw}`).digest('base64')}`);
  };
  await levelUp('ada');
  await untilReceived(1);
  expect([first, second].map(isSigned)).toEqual([true, true]);
  const call = receiver.received[0] as (typeof receiver.received)[number];
  for (const secret of [first, second])
    new StandardWebhook(secret).verify(call.raw, call.headers as Record<string, string>);
  expect(call.headers['x-trophy-signature']).toBe(createHmac('sha256', first).update(call.raw).digest('base64'));
  clock.pass(24 * HOUR);
  await adjust('ada', -100n, 'down');
  await untilReceived(2);
  expect([first, second].map(isSigned)).toEqual([false, true]);
  const { secret: third } = await guerdon.webhooks.rotateWebhookSecret({ id, atOnce: true });
  await adjust('ada', 100n, 'up again');
  await untilReceived(3);
  expect([second, third].map(isSigned)).toEqual([false, true]);
});

it('points.changed comes at most once in 15 minutes of a user and points system, with all that changed', async () => {
  const { created } = await guerdon.webhooks.createWebhooks({ webhooks: [{ name: 'h', url: receiver.url }] });
  expect(created[0]?.webhook?.pointsChangedInterval).toBe(900);
  const lesson = (user: string) => guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value: '1' });
  // A call that is made twice is told by its id.
  const ofXp = () =>
    receiver
      .taken()
      .map(({ body }) => body as unknown as { type: string; user: { id: string }; points: Record<string, unknown> })
      .filter(({ type, points }) => type === 'points.changed' && points.key === 'xp')
      .map(({ user, points }) => [user.id, points.added, points.total, (points.awards as unknown[]).length]);
  await lesson('ada');
  await until(() => ofXp().length === 1, { what: 'the first' });
  for (let index = 0; index < 5; index += 1) await lesson('ada');
  await lesson('bob');
  await until(() => ofXp().length === 2, { what: 'the one of another user' });
  await until(async () => (await guerdon.database.pool.query('select from outbox')).rowCount === 0, {
    what: 'the rest',
  });
  expect(ofXp()).toEqual([
    ['ada', 10, 10, 1],
    ['bob', 10, 10, 1],
  ]);
  clock.pass(14 * 60_000);
  await look();
  await lesson('ada');
  await until(async () => (await guerdon.database.pool.query('select from outbox')).rowCount === 0, {
    what: 'the rest',
  });
  expect(ofXp()).toHaveLength(2);
  clock.pass(61_000);
  await look();
  await until(() => ofXp().length === 3, { what: 'what was held' });
  expect(ofXp()[2]).toEqual(['ada', 60, 70, 6]);
  clock.pass(16 * 60_000);
  await look();
  await until(async () => (await guerdon.database.pool.query('select from webhook_holds')).rowCount === 0, {
    what: 'holds with nothing in them to go',
  });
  expect(ofXp()).toHaveLength(3);
  await lesson('ada');
  await until(() => ofXp().length === 4, { what: 'the first of another interval' });
  await lesson('ada');
  await until(async () => (await guerdon.database.pool.query('select from outbox')).rowCount === 0, {
    what: 'the rest',
  });
  const id = created[0]?.webhook?.id ?? '';
  await guerdon.webhooks.updateWebhooks({ updates: [{ webhook: { id, pointsChangedInterval: 0 } }] });
  await lesson('ada');
  await until(() => ofXp().length === 6, { what: 'what was held, and then each change' });
  expect(ofXp().slice(4)).toEqual([
    ['ada', 10, 90, 1],
    ['ada', 10, 100, 1],
  ]);
});

it('the log is kept for 30 days, and what an archived webhook was to be told goes', async () => {
  const { id } = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  const paused = await addWebhook(guerdon, { url: receiver.url, ...TYPES });
  await guerdon.webhooks.pauseWebhook({ id: paused.id });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await levelUp('ada');
  await untilLogged(id, 'the delivery', ([delivery]) => delivery?.status === DELIVERED);
  const count = async (table: string) =>
    (await guerdon.database.pool.query(`select count(*)::int from ${table}`)).rows[0].count;
  clock.pass(29 * 24 * HOUR);
  await look();
  expect(await log(id)).toHaveLength(1);
  clock.pass(25 * HOUR);
  await look();
  await until(async () => (await log(id)).length === 0, { what: 'the log to be pruned' });
  expect(await count('webhook_attempts')).toBe(0);
  expect(await log(paused.id)).toHaveLength(1);
  await guerdon.webhooks.archiveWebhooks({ ids: [paused.id] });
  clock.pass(61_000);
  await look();
  await until(async () => (await count('webhook_deliveries')) === 0, { what: 'the rest to be pruned' });
  expect(await count('webhook_queues')).toBe(0);
  expect(receiver.received).toHaveLength(1);
});
