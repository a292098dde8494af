import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { ErrorInfoSchema, RetryInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { Ack, EventStatus } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { ImportFormat } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { describeOnBackends, itWithRedisServer, privateRedis } from '../support/backends.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { finished, importFile, ndjson } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/wait.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const lesson = (user: string, idempotencyKey: string, ack: Ack = Ack.ACCEPTED) => ({
  metricKey: 'lessons',
  user: { id: user },
  value: '1',
  idempotencyKey,
  ack,
});

async function inboxIsEmpty(guerdon: Pick<TestGuerdon, 'database'>): Promise<boolean> {
  return (await guerdon.database.pool.query('select from inbox')).rowCount === 0;
}

describeOnBackends('ACK_ACCEPTED', (kind) => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon(kind);
  });
  afterAll(() => guerdon.close());

  it('answers at once, and the event is applied once however often it is sent', async () => {
    const answers = await Promise.all(
      times(300).map((index) => guerdon.events.sendEvent(lesson('ada', `k${index % 100}`))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([EventStatus.ACCEPTED]));
    expect(answers[0]).toMatchObject({ metricKey: 'lessons', total: '', points: {} });
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    expect((await balancesOf(guerdon.database, 'xp')).ada).toBe(1_000);
    await expectSound(guerdon.database);
  });

  it('keeps the order of a list, whatever is asked for its items', async () => {
    const items = times(100).map((index) => ({
      ...lesson('bea', `k${index}`, index % 3 === 0 ? Ack.APPLIED : Ack.ACCEPTED),
      value: String(index + 1),
    }));
    const { results } = await guerdon.events.sendEvents({ events: items });
    expect(results.map(({ result }) => result.case)).toEqual(times(100).map(() => 'event'));
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    const { rows } = await guerdon.database.pool.query(
      `select e.value::int from events e join users u on u.id = e.user_id where u.external_id = 'bea' order by e.seq`,
    );
    expect(rows.map(({ value }) => value)).toEqual(times(100).map((index) => index + 1));
  });

  it('GetEvent tells of a key that was used with other content, and of a deduction that was refused', async () => {
    const first = await guerdon.events.sendEvent(lesson('cleo', 'k'));
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    const reused = await guerdon.events.sendEvent({ ...lesson('cleo', 'k'), value: '2' });
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    const get = async (eventId: string) =>
      (await guerdon.events.getEvent({ lookup: { case: 'eventId', value: eventId } })).event;
    expect(await get(first.eventId)).toMatchObject({ status: EventStatus.APPLIED, totalAfter: '1' });
    const told = await get(reused.eventId);
    expect(told).toMatchObject({ status: EventStatus.REFUSED, refusal: { code: Code.AlreadyExists } });
    const key = { userId: 'cleo', metricKey: 'lessons', idempotencyKey: 'k' };
    const byKey = await guerdon.events.getEvent({ lookup: { case: 'key', value: key } });
    expect(byKey.event?.id).toBe(first.eventId);
  });

  it('refuses what is malformed before anything is stored', async () => {
    const refused = await guerdon.events.sendEvent({ ...lesson('dora', 'k'), value: 'x' }).catch(ConnectError.from);
    expect(refused).toMatchObject({ code: Code.InvalidArgument });
    const { results } = await guerdon.events.sendEvents({
      events: [lesson('dora', 'a'), { ...lesson('dora', 'b'), metricKey: 'naps' }, lesson('dora', 'c')],
    });
    expect(results.map(({ result }) => result.case)).toEqual(['event', 'error', 'event']);
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    expect((await balancesOf(guerdon.database, 'xp')).dora).toBe(20);
  });
});

describe('ACK_ACCEPTED with nobody there to apply', () => {
  it('GetEvent says accepted, by id and by key, and a worker that comes later applies it', async () => {
    const guerdon = await startGuerdon('postgres', { GUERDON_ROLE: 'api' });
    const { eventId } = await guerdon.events.sendEvent(lesson('ada', 'k'));
    const key = { userId: 'ada', metricKey: 'lessons', idempotencyKey: 'k' };
    for (const lookup of [{ case: 'eventId', value: eventId } as const, { case: 'key', value: key } as const]) {
      const { event } = await guerdon.events.getEvent({ lookup });
      expect(event).toMatchObject({ id: eventId, status: EventStatus.ACCEPTED, userId: 'ada', value: '1', seq: 0n });
    }
    const worker = await spawnGuerdon(environment(guerdon.database, 'postgres', { GUERDON_ROLE: 'worker' }));
    await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox' });
    const { event } = await guerdon.events.getEvent({ lookup: { case: 'eventId', value: eventId } });
    expect(event).toMatchObject({ id: eventId, status: EventStatus.APPLIED, seq: 1n });
    await worker.end();
    await guerdon.close();
  });

  itWithRedisServer(
    'with Redis gone, events are accepted, and applied once it is back',
    async () => {
      const redis = (await privateRedis()) as RedisServer;
      const guerdon = await startGuerdon('redis', { REDIS_URL: redis.url });
      await redis.kill();
      const events = times(50).map((index) => lesson(`u${index % 5}`, `k${index}`));
      const answers = await Promise.all(events.map((event) => guerdon.events.sendEvent(event)));
      expect(answers.every(({ status }) => status === EventStatus.ACCEPTED)).toBe(true);
      await redis.restart();
      const admin = new Redis(redis.url);
      await admin.flushall();
      admin.disconnect();
      await until(() => inboxIsEmpty(guerdon), { what: 'an empty inbox', timeoutMs: 60_000 });
      expect(await balancesOf(guerdon.database, 'xp')).toEqual({ u0: 100, u1: 100, u2: 100, u3: 100, u4: 100 });
      await expectSound(guerdon.database);
      await guerdon.close();
      await redis.stop();
    },
    90_000,
  );

  it('an API process killed right after its answers has lost none', async () => {
    const database = await createDatabase();
    const api = await spawnGuerdon(environment(database, 'postgres', { GUERDON_ROLE: 'api' }));
    const { events } = clientsOf(api.grpcPort);
    await Promise.all(times(200).map((index) => events.sendEvent(lesson(`u${index % 4}`, `k${index}`))));
    await api.end('SIGKILL');
    const worker = await spawnGuerdon(environment(database, 'postgres', { GUERDON_ROLE: 'worker' }));
    await until(() => inboxIsEmpty({ database }), { what: 'an empty inbox' });
    expect(await balancesOf(database, 'xp')).toEqual({ u0: 500, u1: 500, u2: 500, u3: 500 });
    await worker.end();
    await expectSound(database);
    await database.drop();
  });
});

describe('a bounded number of commands in memory', () => {
  it('beyond it calls are refused with the time to come again, and nothing of them is stored', async () => {
    const guerdon = await startGuerdon('postgres', { GUERDON_ROLE: 'api', GUERDON_IN_FLIGHT_MAX: '500' });
    const call = (index: number) =>
      guerdon.events.sendEvent(lesson('ada', `k${index}`, Ack.APPLIED), { timeoutMs: 5_000 });
    const calls = await Promise.allSettled(times(800).map(call));
    const reasons = calls.map((settled) => {
      const error = ConnectError.from((settled as PromiseRejectedResult).reason);
      return {
        code: error.code,
        reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
        retry: error.findDetails(RetryInfoSchema)[0]?.retryDelay?.nanos,
      };
    });
    const refused = reasons.filter(({ code }) => code === Code.ResourceExhausted);
    expect(refused).toHaveLength(300);
    expect(refused[0]).toMatchObject({ reason: 'TOO_MANY_CALLS', retry: 250_000_000 });
    expect(reasons.filter(({ code }) => code === Code.DeadlineExceeded)).toHaveLength(500);
    await guerdon.close();
  });

  it('imports take at most half of it: one more is refused with the time to come again, and calls still find room', async () => {
    const guerdon = await startGuerdon('postgres', { GUERDON_IN_FLIGHT_MAX: '500' });
    const { events } = guerdon;
    const gates: (() => void)[] = [];
    async function* slowly(name: string) {
      yield { part: { case: 'options' as const, value: { name, format: ImportFormat.NDJSON } } };
      yield { part: { case: 'data' as const, value: Buffer.from(ndjson([lesson(name, 'k', Ack.APPLIED)])) } };
      await new Promise<void>((resolve) => gates.push(resolve));
    }
    const slow = ['first', 'second'].map((name) => events.importEvents(slowly(name)));
    const under = async () => (await events.listImports({})).imports.length;
    await until(async () => gates.length === 2 && (await under()) === 2, { what: 'two imports under way' });
    const third = () =>
      importFile(guerdon, { name: 'third', format: ImportFormat.NDJSON }, ndjson([lesson('third', 'k', Ack.APPLIED)]));
    const error = ConnectError.from(await third().catch((reason) => reason));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('TOO_MANY_CALLS');
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.nanos).toBe(250_000_000);
    expect((await events.listImports({})).imports.map(({ name }) => name).sort()).toEqual(['first', 'second']);
    expect((await events.sendEvent(lesson('ada', 'k', Ack.APPLIED))).points.xp?.added).toBe(10n);
    for (const open of gates) open();
    await Promise.all(slow);
    const stored = [...(await Promise.all(slow)).map(({ import: one }) => one?.id ?? ''), (await third()).id];
    for (const id of stored) await finished(guerdon, id);
    expect(await balancesOf(guerdon.database, 'xp')).toEqual({ ada: 10, first: 10, second: 10, third: 10 });
    await expectSound(guerdon.database);
    await guerdon.close();
  });
});
