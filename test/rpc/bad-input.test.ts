import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BadRequestSchema, ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { type Ack, EventService, SendEventRequestSchema } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { shapeViolations } from '../../src/rpc/event-input.ts';
import { protoViolations } from '../../src/rpc/invoke.ts';
import { clientsOf, KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';

type EventInit = MessageInitShape<typeof SendEventRequestSchema>;

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(() => guerdon.close());

const TABLES = [
  'users',
  'events',
  'entries',
  'metric_totals',
  'accounts',
  'commands',
  'refusals',
  'inbox',
  'poisoned',
  'outbox',
];

async function counts(): Promise<unknown> {
  const { rows } = await guerdon.database.pool.query(
    `select ${TABLES.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')}`,
  );
  return rows[0];
}

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error('it was taken');
    },
    (thrown) => ConnectError.from(thrown),
  );
  return {
    code: error.code,
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
    fields: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations.map(({ field }) => field)),
    message: error.rawMessage,
  };
}

const good: EventInit = { metricKey: 'lessons', user: { id: 'ada' }, value: '1' };

describe('an event that is refused at the edge', () => {
  it.each<[string, EventInit, string]>([
    ['an unknown metric', { ...good, metricKey: 'naps' }, 'metric_key'],
    ['a malformed metric key', { ...good, metricKey: 'a b' }, 'metric_key'],
    ['no user', { metricKey: 'lessons', value: '1' }, 'user'],
    ['an empty user id', { ...good, user: { id: '' } }, 'user.id'],
    ['a user id of 256 characters', { ...good, user: { id: 'x'.repeat(256) } }, 'user.id'],
    ['NUL in the user id', { ...good, user: { id: 'a\0b' } }, 'user.id'],
    ['NUL in a name', { ...good, user: { id: 'a', name: '\0' } }, 'user.name'],
    ['an e-mail of 321 characters', { ...good, user: { id: 'a', email: 'x'.repeat(321) } }, 'user.email'],
    ['an unknown zone', { ...good, user: { id: 'a', tz: 'Mars/Olympus' } }, 'user.tz'],
    [
      'an undeclared user attribute',
      { ...good, user: { id: 'a', attributes: { shoe: '9' } } },
      'user.attributes["shoe"]',
    ],
    ['an undeclared event attribute', { ...good, attributes: { shoe: '9' } }, 'attributes["shoe"]'],
    ['an attribute key with a space', { ...good, attributes: { 'a b': '9' } }, 'attributes["a b"]'],
    ['an attribute value of 256 characters', { ...good, attributes: { repo: 'x'.repeat(256) } }, 'attributes["repo"]'],
    ['NUL in an attribute', { ...good, attributes: { repo: '\0' } }, 'attributes["repo"]'],
    ['no value', { ...good, value: '' }, 'value'],
    ['NaN', { ...good, value: 'NaN' }, 'value'],
    ['infinity', { ...good, value: 'Infinity' }, 'value'],
    ['an exponent', { ...good, value: '1e5' }, 'value'],
    ['a plus sign', { ...good, value: '+1' }, 'value'],
    ['a bare point', { ...good, value: '1.' }, 'value'],
    ['19 digits', { ...good, value: '1'.repeat(19) }, 'value'],
    ['10 decimals', { ...good, value: `0.${'1'.repeat(10)}` }, 'value'],
    ['a key of 256 characters', { ...good, idempotencyKey: 'x'.repeat(256) }, 'idempotency_key'],
    ['NUL in the key', { ...good, idempotencyKey: 'a\0' }, 'idempotency_key'],
    ['an instant six minutes ahead', { ...good, occurredAt: timestampFromMs(Date.now() + 360_000) }, 'occurred_at'],
    ['an unknown ack', { ...good, ack: 9 as Ack }, 'ack'],
  ])('%s: names the field, and nothing is stored', async (_what, event, field) => {
    const before = await counts();
    const { code, reason, fields } = await failureOf(guerdon.events.sendEvent(event));
    expect({ code, reason, fields }).toEqual({ code: Code.InvalidArgument, reason: 'FIELDS_INVALID', fields: [field] });
    expect(await counts()).toEqual(before);
  });

  it('a lone surrogate, which only JSON can carry', async () => {
    const before = await counts();
    const response = await fetch(`http://127.0.0.1:${guerdon.httpPort}/guerdon.v1.EventService/SendEvent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: '{"metricKey":"lessons","value":"1","user":{"id":"a\\ud800b"}}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument' });
    expect(await counts()).toEqual(before);
  });

  it('several faults at once, all of them named', async () => {
    const { fields } = await failureOf(guerdon.events.sendEvent({ metricKey: '', user: { id: '' }, value: 'x' }));
    expect(fields).toEqual(['metric_key', 'user.id', 'value']);
  });

  it('255 characters beyond the first plane are 255 characters', async () => {
    const id = '\u{1F981}'.repeat(255);
    await guerdon.events.sendEvent({ ...good, user: { id } });
    expect((await guerdon.points.getUserPoints({ userId: id, systemKey: 'xp' })).total).toBe(10n);
  });
});

describe('a total or balance beyond its range', () => {
  it('refuses the event, which changes nothing but the log and leaves its key free', async () => {
    const user = { id: 'whale' };
    await guerdon.events.sendEvent({ metricKey: 'files', user, value: '999999999999999999' }).catch(() => {});
    const { total } = await guerdon.events.sendEvent({ metricKey: 'files', user, value: '1' });
    const refused = guerdon.events.sendEvent({ metricKey: 'files', user, value: '9'.repeat(18), idempotencyKey: 'k' });
    expect(await failureOf(refused)).toMatchObject({ code: Code.OutOfRange });
    const { event } = await guerdon.events.getEvent({
      lookup: { case: 'key', value: { userId: 'whale', metricKey: 'files', idempotencyKey: 'k' } },
    });
    expect(event).toMatchObject({ status: 3, refusal: { code: 11 } });
    const again = await guerdon.events.sendEvent({ metricKey: 'files', user, value: '1', idempotencyKey: 'k' });
    expect(BigInt(again.total)).toBe(BigInt(total) + 1n);
  });
});

describe('a call without a valid key', () => {
  it.each([
    ['none', ''],
    ['half of one', 'test'],
    ['a wrong body', 'test.ffffffffffffffffffffffffffffffff'],
    ['an unknown prefix', 'nobody.0123456789abcdef0123456789abcdef'],
  ])('with %s is unauthenticated', async (_what, key) => {
    const { events } = clientsOf(guerdon.grpcPort, key);
    expect(await failureOf(events.sendEvent(good))).toMatchObject({ code: Code.Unauthenticated });
  });

  it('after the key is revoked is unauthenticated within a second or two', async () => {
    const { pool } = guerdon.database;
    await pool.query(`insert into api_keys (project_id, prefix, hash, kind, name, created_at)
      select project_id, 'gone', hash, kind, name, created_at from api_keys where prefix = 'test'`);
    const { points } = clientsOf(guerdon.grpcPort, KEY.replace('test', 'gone'));
    await points.listPointsSystems({});
    await pool.query(`update api_keys set revoked_at = now() where prefix = 'gone'`);
    let failure = { code: 0 };
    while (failure.code !== Code.Unauthenticated) {
      failure = await points.listPointsSystems({}).then(
        () => ({ code: 0 }),
        (error) => ConnectError.from(error),
      );
    }
  });
});

describe('other calls with bad input', () => {
  it.each<[string, () => Promise<unknown>, Code, string[]]>([
    [
      'a spend of nothing',
      () => guerdon.points.spendPoints({ userId: 'a', systemKey: 'xp', amount: 0n, idempotencyKey: 'k' }),
      Code.InvalidArgument,
      ['amount'],
    ],
    [
      'a spend without a key',
      () => guerdon.points.spendPoints({ userId: 'a', systemKey: 'xp', amount: 1n }),
      Code.InvalidArgument,
      ['idempotency_key'],
    ],
    [
      'an adjustment by 2^53',
      () =>
        guerdon.points.adjustPoints({
          userId: 'a',
          systemKey: 'xp',
          amount: 2n ** 53n,
          reason: 'r',
          idempotencyKey: 'k',
        }),
      Code.InvalidArgument,
      ['amount'],
    ],
    [
      'an adjustment without a reason',
      () => guerdon.points.adjustPoints({ userId: 'a', systemKey: 'xp', amount: 1n, idempotencyKey: 'k' }),
      Code.InvalidArgument,
      ['reason'],
    ],
    [
      'NUL in a reason',
      () =>
        guerdon.points.adjustPoints({ userId: 'a', systemKey: 'xp', amount: 1n, reason: '\0', idempotencyKey: 'k' }),
      Code.InvalidArgument,
      ['reason'],
    ],
    [
      'a spend by nobody',
      () => guerdon.points.spendPoints({ userId: 'nobody', systemKey: 'xp', amount: 1n, idempotencyKey: 'k' }),
      Code.NotFound,
      [],
    ],
    [
      'points in an unknown system',
      () => guerdon.points.getUserPoints({ userId: 'a', systemKey: 'gems' }),
      Code.NotFound,
      [],
    ],
    [
      '101 awards',
      () => guerdon.points.getUserPoints({ userId: 'a', systemKey: 'xp', awards: 101 }),
      Code.InvalidArgument,
      ['awards'],
    ],
    [
      'a page of 501',
      () => guerdon.points.listLedgerEntries({ userId: 'a', systemKey: 'xp', pageSize: 501 }),
      Code.InvalidArgument,
      ['page_size'],
    ],
    [
      'an event id that is none',
      () => guerdon.events.getEvent({ lookup: { case: 'eventId', value: 'x' } }),
      Code.InvalidArgument,
      ['event_id'],
    ],
    ['neither id nor key', () => guerdon.events.getEvent({}), Code.InvalidArgument, ['lookup']],
    ['a list of no events', () => guerdon.events.sendEvents({ events: [] }), Code.InvalidArgument, ['events']],
    [
      'a list of 501 events',
      () => guerdon.events.sendEvents({ events: Array(501).fill(good) }),
      Code.InvalidArgument,
      ['events'],
    ],
  ])('%s', async (_what, call, code, fields) => {
    const before = await counts();
    expect(await failureOf(call())).toMatchObject({ code, fields });
    expect(await counts()).toEqual(before);
  });

  it('a page token of another list', async () => {
    await guerdon.events.sendEvents({ events: [good, good, good] });
    const page = { userId: 'ada', pageSize: 1 };
    const { nextPageToken } = await guerdon.points.listLedgerEntries({ ...page, systemKey: 'xp' });
    expect(nextPageToken).not.toBe('');
    const other = guerdon.points.listLedgerEntries({ ...page, systemKey: 'energy', pageToken: nextPageToken });
    expect(await failureOf(other)).toMatchObject({ code: Code.InvalidArgument, fields: ['page_token'] });
  });
});

describe('the check by hand', () => {
  it('refuses what the rules in the proto refuse, and names the same fields first', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('', 'x'.repeat(65), 'x'.repeat(256), 'ok', '1', '-1.5'),
    );
    const attributes = fc.dictionary(fc.oneof(fc.constantFrom('repo', 'a b', ''), fc.string({ maxLength: 4 })), text, {
      maxKeys: 3,
    });
    const event = fc.record({
      metricKey: text,
      value: text,
      attributes,
      idempotencyKey: text,
      user: fc.option(fc.record({ id: text, name: text, attributes }), { nil: undefined }),
    } as never);
    const root = (field: string) => field.replace(/\[.*$/, '');
    fc.assert(
      fc.property(event, (init) => {
        const request = create(SendEventRequestSchema, init as EventInit);
        const byHand = new Set(shapeViolations(request, 0).map(({ field }) => root(field)));
        const byProto = new Set(
          protoViolations({ method: EventService.method.sendEvent }, request).map(({ field }) => root(field)),
        );
        expect([...byProto].filter((field) => !byHand.has(field))).toEqual([]);
        // NUL and lone surrogates are what the proto's rules cannot say.
        const storable = !/[\0\ud800-\udfff]/.test(JSON.stringify(init).replace(/\\u0000/g, '\0'));
        if (storable) expect([...byHand].filter((field) => !byProto.has(field))).toEqual([]);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
