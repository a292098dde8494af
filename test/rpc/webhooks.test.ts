import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { Severity } from '../../src/gen/guerdon/v1/types_pb.ts';
import { WebhookPausedReason, WebhookStatus } from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import { clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { restClient } from '../support/rest.ts';
import { until } from '../support/wait.ts';
import { ALLOWED, addWebhook, deliveriesOf } from '../support/webhooks.ts';

let guerdon: TestGuerdon;
let strict: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', ALLOWED);
  strict = await startGuerdon();
});
afterAll(async () => {
  await guerdon.close();
  await strict.close();
});
beforeEach(async () => {
  for (const { webhooks } of [guerdon, strict]) {
    const ids = (await webhooks.listWebhooks({})).webhooks.map(({ id }) => id);
    if (ids.length > 0) await webhooks.archiveWebhooks({ ids });
  }
});

const url = 'https://hooks.example.com/guerdon';
const UNKNOWN = '01900000-0000-7000-8000-00000000ffff';

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error('it was taken');
    },
    (thrown) => ConnectError.from(thrown),
  );
  return { code: error.code, reason: error.findDetails(ErrorInfoSchema)[0]?.reason };
}

describe('webhooks', () => {
  it('are made, read, listed, changed and archived, and that is in the audit log without their secrets', async () => {
    const { webhooks, admin } = guerdon;
    const { created } = await webhooks.createWebhooks({
      webhooks: [
        { name: 'one', url, eventTypes: ['points.changed'], pointsChangedInterval: 60 },
        { name: 'two', url },
      ],
    });
    const [one, two] = created.map(({ webhook }) => webhook?.id ?? '') as [string, string];
    expect(new Set(created.map(({ secret }) => secret)).size).toBe(2);
    expect(created[0]?.secret).toMatch(/^whsec_/);
    const got = (await webhooks.getWebhook({ id: one })).webhook;
    expect(got).toMatchObject({
      name: 'one',
      url,
      eventTypes: ['points.changed'],
      pointsChangedInterval: 60,
      status: WebhookStatus.ACTIVE,
      failures: 0,
    });
    expect((await webhooks.listWebhooks({})).webhooks.map(({ id }) => id)).toEqual([one, two]);
    const { updated } = await webhooks.updateWebhooks({
      updates: [
        { webhook: { id: one, name: 'uno' } },
        { webhook: { id: two, eventTypes: [] }, updateMask: { paths: ['event_types', 'points_changed_interval'] } },
      ],
    });
    expect(updated).toMatchObject([{ name: 'uno', eventTypes: ['points.changed'] }, { pointsChangedInterval: 900 }]);
    await webhooks.rotateWebhookSecret({ id: one });
    const again = await webhooks.archiveWebhooks({ ids: [one, one, UNKNOWN] });
    expect(again.archived).toEqual([one]);
    expect(again.issues).toMatchObject([
      { index: 1, severity: Severity.WARNING },
      { index: 2, severity: Severity.ERROR },
    ]);
    expect((await webhooks.listWebhooks({})).webhooks.map(({ id }) => id)).toEqual([two]);
    expect((await webhooks.listWebhooks({ includeArchived: true })).webhooks.map(({ id }) => id)).toContain(one);
    const { entries } = await admin.listAuditEntries({ kind: 'webhook', key: one });
    expect(entries.map(({ change }) => change?.action)).toHaveLength(4);
    const told = JSON.stringify([entries, got], (_, value) => (typeof value === 'bigint' ? String(value) : value));
    expect(told).not.toContain('whsec_');
  });

  it('are judged one by one', async () => {
    const { created, issues } = await strict.webhooks.createWebhooks({
      webhooks: [
        { name: 'no url' },
        { url },
        { name: 'http', url: 'http://hooks.example.com' },
        { name: 'local', url: 'https://169.254.169.254/latest' },
        { name: 'type', url, eventTypes: ['points.changed', 'points.lost'] },
        { name: 'often', url, pointsChangedInterval: 86_401 },
        { name: 'right', url },
      ],
    });
    expect(created.map(({ webhook }) => webhook?.name)).toEqual(['right']);
    expect(issues.map(({ index, field }) => [index, field])).toEqual([
      [0, 'url'],
      [1, 'name'],
      [2, 'url'],
      [3, 'url'],
      [4, 'event_types'],
      [5, 'points_changed_interval'],
    ]);
    expect(issues[4]?.message).toContain('points.boost_finished');
    const id = created[0]?.webhook?.id ?? '';
    const repeated = await strict.webhooks.createWebhooks({ webhooks: [{ id, name: 'right', url }] });
    expect(repeated).toMatchObject({ created: [], issues: [{ field: 'id' }] });
    const { updated, issues: wrong } = await strict.webhooks.updateWebhooks({
      updates: [{ webhook: { id, url: 'https://localhost@evil' } }, { webhook: { id: UNKNOWN, name: 'x' } }],
    });
    expect(updated).toEqual([]);
    expect(wrong.map(({ field }) => field)).toEqual(['webhook.url', 'webhook.id']);
  });

  it('are at most a hundred', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `h${index}`, url }));
    expect((await strict.webhooks.createWebhooks({ webhooks: many(99) })).created).toHaveLength(99);
    const both = await Promise.all([1, 2].map(() => strict.webhooks.createWebhooks({ webhooks: many(5) })));
    expect(both.flatMap(({ created }) => created)).toHaveLength(1);
    expect(both.flatMap(({ issues }) => issues)).toHaveLength(9);
  });

  it('are paused and resumed, once as well as twice', async () => {
    const { id } = await addWebhook(guerdon, { url });
    for (let time = 0; time < 2; time += 1) {
      expect((await guerdon.webhooks.pauseWebhook({ id })).webhook).toMatchObject({
        status: WebhookStatus.PAUSED,
        pausedReason: WebhookPausedReason.ASKED,
        pausedAt: expect.anything(),
      });
    }
    for (let time = 0; time < 2; time += 1) {
      const { webhook } = await guerdon.webhooks.resumeWebhook({ id });
      expect(webhook?.status).toBe(WebhookStatus.ACTIVE);
      expect(webhook?.pausedAt).toBeUndefined();
    }
  });

  it('of another project, and unknown or archived ones, are not found', async () => {
    const { id } = await addWebhook(guerdon, { url });
    const made = await guerdon.admin.createProjects({ projects: [{ key: 'other', name: 'Other' }] });
    const other = clientsOf(guerdon.grpcPort, made.created[0]?.adminKey ?? '').webhooks;
    const name = `msg_${id.replaceAll('-', '')}_1`;
    for (const [client, asked] of [
      [other, id],
      [guerdon.webhooks, UNKNOWN],
    ] as const) {
      const calls = [
        client.getWebhook({ id: asked }),
        client.pauseWebhook({ id: asked }),
        client.resumeWebhook({ id: asked }),
        client.rotateWebhookSecret({ id: asked }),
        client.listWebhookDeliveries({ webhookId: asked }),
        client.resendWebhookDelivery({ id: name }),
      ];
      for (const call of calls) expect((await failureOf(call)).code).toBe(Code.NotFound);
    }
    expect((await other.updateWebhooks({ updates: [{ webhook: { id, name: 'mine' } }] })).updated).toEqual([]);
    expect((await other.archiveWebhooks({ ids: [id] })).archived).toEqual([]);
    expect((await other.listWebhooks({})).webhooks).toEqual([]);
    await guerdon.webhooks.archiveWebhooks({ ids: [id] });
    expect((await failureOf(guerdon.webhooks.resumeWebhook({ id }))).reason).toBe('WEBHOOK_UNKNOWN');
  });
});

describe('an event', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  it('has the fields of the contract, and what is known of the user at the time', async () => {
    await addWebhook(guerdon, { url: receiver.url });
    const badgeUrl = 'https://example.com/a.png';
    const badged = { level: { key: 'apprentice', badgeUrl } };
    await guerdon.admin.updateLevels({ systemKey: 'xp', updates: [badged] });
    const deviceTokens = { tokens: ['device-1', 'device-2'] };
    const user = { id: 'zoë/1', name: 'Zoë', email: 'zoe@example.com', tz: 'Europe/Berlin', deviceTokens };
    await guerdon.boosts.createBoosts({
      systemKey: 'xp',
      boosts: [{ name: 'Twice', multiplier: '2', start: '2024-01-01', rounding: 1 }],
    });
    const { eventId } = await guerdon.events.sendEvent({ metricKey: 'lessons', user, value: '5' });
    expect(eventId).not.toBe('');
    const spend = { userId: user.id, systemKey: 'xp', reason: 'r', idempotencyKey: 'k' };
    await guerdon.points.spendPoints({ ...spend, amount: 30n });
    const of = (type: string, key: string) =>
      receiver
        .taken()
        .map(({ body }) => body as Record<string, never> & { type: string; points: Record<string, unknown> })
        .filter(({ type: told, points }) => told === type && points?.key === key);
    await until(() => of('points.changed', 'xp').length === 2 && of('points.level_changed', 'xp').length === 2, {
      what: 'both changes',
    });
    const shown = await (await restClient(guerdon)).get(`/v1/users/${encodeURIComponent(user.id)}/points/xp`);
    expect(shown.body.awards).toHaveLength(1);
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const level = (key: string, name: string, points: number) =>
      expect.objectContaining({
        id: expect.any(String),
        key,
        name,
        description: expect.any(String),
        badgeUrl: key === 'apprentice' ? badgeUrl : null,
        points,
      });
    const told = {
      id: user.id,
      email: user.email,
      name: user.name,
      tz: user.tz,
      deviceTokens: ['device-1', 'device-2'],
      subscribeToEmails: true,
      attributes: {},
      control: false,
      created: instant,
      updated: instant,
    };
    const system = {
      id: expect.any(String),
      key: 'xp',
      name: 'XP',
      description: null,
      badgeUrl: null,
      maxPoints: null,
    };
    expect(of('points.changed', 'xp')[0]).toEqual({
      type: 'points.changed',
      user: told,
      points: {
        ...system,
        total: 100,
        added: 100,
        level: level('apprentice', 'Apprentice', 100),
        awards: [
          {
            id: shown.body.awards[0].id,
            awarded: 100,
            date: instant,
            total: 100,
            trigger: {
              id: expect.any(String),
              type: 'metric',
              points: 10,
              status: 'active',
              metricId: expect.any(String),
              metricName: 'Lessons',
              metricThreshold: 1,
              userAttributes: [],
              eventAttributes: [],
              created: instant,
              updated: instant,
            },
            boosts: [
              {
                id: expect.any(String),
                name: 'Twice',
                status: 'active',
                start: '2024-01-01',
                end: null,
                multiplier: 2,
                rounding: 'down',
              },
            ],
          },
        ],
      },
    });
    expect(of('points.level_changed', 'xp')[0]).toEqual({
      type: 'points.level_changed',
      user: told,
      points: { ...system, total: 100 },
      previousLevel: level('novice', 'Novice', 0),
      newLevel: level('apprentice', 'Apprentice', 100),
    });
    expect(of('points.changed', 'xp')[1]).toMatchObject({ points: { total: 70, added: -30, awards: [] } });
    expect(of('points.level_changed', 'xp')[1]).toMatchObject({ newLevel: { key: 'novice' } });
    const { rows } = await guerdon.database.pool.query('select payload::text from webhook_deliveries');
    for (const { payload } of rows) expect(payload).not.toMatch(/zoe|Zoë|zoë|Berlin|device/);
  });

  it('is not told to an address that is not public, and the log says why', async () => {
    const port = new URL(receiver.url).port;
    const { id } = await addWebhook(strict, { url: `https://localhost:${port}`, eventTypes: ['points.changed'] });
    const before = receiver.received.length;
    await strict.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1' });
    await until(async () => (await deliveriesOf(strict, id)).some(({ attempts }) => attempts.length > 0), {
      what: 'an attempt',
    });
    const attempts = (await deliveriesOf(strict, id)).flatMap((delivery) => delivery.attempts);
    expect(attempts[0]).toMatchObject({ error: 'ADDRESS_REFUSED', statusCode: 0, answer: '' });
    expect(receiver.received).toHaveLength(before);
  });
});
