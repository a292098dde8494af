import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';
import { type RestClient, restClient } from '../support/rest.ts';

let guerdon: TestGuerdon;
let rest: RestClient;
beforeAll(async () => {
  guerdon = await startGuerdon();
  rest = await restClient(guerdon);
  await guerdon.admin.createMetrics({ metrics: [{ key: 'words', name: 'Words' }] });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const lesson = (user: string, value: unknown = 1, more: object = {}) =>
  rest.post('/v1/metrics/lessons/event', { user: { id: user }, value, ...more });

describe('an event', () => {
  it('is answered field by field as the contract has it', async () => {
    const { status, body } = await lesson('ada', 12);
    expect(status).toBe(201);
    expect(body).toEqual({
      eventId: expect.stringMatching(UUID),
      metricId: expect.stringMatching(UUID),
      total: 12,
      achievements: [],
      currentStreak: {
        length: 0,
        frequency: 'daily',
        started: null,
        periodStart: null,
        periodEnd: null,
        expires: null,
        extended: false,
      },
      points: { xp: expect.anything(), energy: expect.anything() },
      leaderboards: {},
    });
    expect(body.points.xp).toEqual({
      id: expect.stringMatching(UUID),
      key: 'xp',
      name: 'XP',
      description: null,
      badgeUrl: null,
      maxPoints: null,
      total: 120,
      added: 120,
      level: {
        id: expect.stringMatching(UUID),
        key: 'apprentice',
        name: 'Apprentice',
        description: '',
        badgeUrl: null,
        points: 100,
      },
      awards: [
        {
          id: expect.stringMatching(UUID),
          awarded: 120,
          date: expect.stringMatching(INSTANT),
          total: 120,
          trigger: {
            id: expect.stringMatching(UUID),
            type: 'metric',
            points: 10,
            status: 'active',
            metricId: body.metricId,
            metricName: 'Lessons',
            metricThreshold: 1,
            userAttributes: [],
            eventAttributes: [],
            created: expect.stringMatching(INSTANT),
            updated: expect.stringMatching(INSTANT),
          },
          boosts: [],
        },
      ],
    });
  });

  it('that is capped says what was added, and level only where it changed', async () => {
    const { body } = await lesson('ada', 20);
    expect(body.points.energy).toMatchObject({ maxPoints: 25, total: 25, added: 13 });
    expect(body.points.xp).not.toHaveProperty('level');
    const full = await lesson('ada');
    expect(full.body.points.energy).toMatchObject({ total: 25, added: 0, awards: [] });
  });

  it('with a key is applied once: 201, then 202 with the first event and the totals as they are', async () => {
    const body = { user: { id: 'bob' }, value: 1 };
    const headers = { 'idempotency-key': 'lesson-1' };
    const first = await rest.post('/v1/metrics/lessons/event', body, headers);
    await lesson('bob', 2);
    const again = await rest.post('/v1/metrics/lessons/event', body, headers);
    expect(first).toMatchObject({ status: 201, body: { idempotencyKey: 'lesson-1', idempotentReplayed: false } });
    expect(again).toMatchObject({
      status: 202,
      body: {
        eventId: first.body.eventId,
        total: 3,
        idempotencyKey: 'lesson-1',
        idempotentReplayed: true,
        points: { xp: { total: 30, awards: first.body.points.xp.awards } },
      },
    });
    const other = await rest.post('/v1/metrics/lessons/event', { ...body, value: 5 }, headers);
    expect(other).toMatchObject({ status: 422, body: { error: expect.stringContaining('Idempotency-Key') } });
    expect((await rest.post('/v1/metrics/commits/event', body, headers)).status).toBe(201);
    expect((await lesson('bob', 0)).body).not.toHaveProperty('idempotencyKey');
    const long = await rest.post('/v1/metrics/lessons/event', body, { 'idempotency-key': 'k'.repeat(256) });
    expect(long).toMatchObject({ status: 422, body: { error: expect.stringMatching(/^Idempotency-Key: /) } });
  });

  it('of many at once for one user and metric counts each', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => lesson('crowd')));
    expect(new Set(answers.map(({ body }) => body.total)).size).toBe(40);
    expect((await rest.get('/v1/users/crowd/points/xp')).body.total).toBe(400);
  });

  it.each([
    ['0.1', '0.1'],
    ['-2.50', '-2.5'],
    ['1e2', '100'],
    ['1.5E-3', '0.0015'],
    ['-0.0', '0'],
    ['123456789012345678.123456789', '123456789012345678.123456789'],
  ])('takes the value %s exactly as it is written', async (text, value) => {
    const user = `exact ${text}`;
    const answer = await rest.post(
      '/v1/metrics/words/event',
      `{"user":{"id":${JSON.stringify(user)}},"value":${text}}`,
    );
    expect(answer).toMatchObject({ status: 201, body: { total: Number(value) + 0 } });
    const { rows } = await guerdon.database.pool.query(
      `select trim_scale(e.value)::text as value from events e join users u on u.id = e.user_id where external_id = $1`,
      [user],
    );
    expect(rows[0].value).toBe(value);
  });

  it('gives totals with all their digits', async () => {
    const url = `http://127.0.0.1:${guerdon.httpPort}/v1/metrics/words/event`;
    const key = { 'x-api-key': 'test.0123456789abcdef0123456789abcdef' };
    const body = '{"user":{"id":"digits"},"value":900000000000000000.000000001}';
    const answer = await fetch(url, { method: 'POST', headers: key, body });
    expect(await answer.text()).toContain('"total":900000000000000000.000000001,');
  });

  it('names what an award was multiplied by, and the trigger also when it is gone', async () => {
    const { created } = await guerdon.boosts.createBoosts({
      systemKey: 'coins',
      boosts: [
        { name: 'Double', multiplier: '2', start: '2024-01-01', end: '2999-12-31' },
        { name: 'Instants', multiplier: '1.5', startTime: { seconds: 1_700_000_000n, nanos: 0 } },
      ],
    });
    const files = { user: { id: 'cleo' }, value: 20 };
    const { body } = await rest.post('/v1/metrics/files/event', files);
    const [award] = body.points.coins.awards;
    expect(award).toMatchObject({ awarded: 15, trigger: { points: 5, metricThreshold: 20 } });
    expect(award.boosts).toEqual([
      {
        id: created[0]?.id,
        name: 'Double',
        status: 'active',
        start: '2024-01-01',
        end: '2999-12-31',
        multiplier: 2,
        rounding: 'down',
      },
      {
        id: created[1]?.id,
        name: 'Instants',
        status: 'active',
        start: '2023-11-14',
        end: null,
        multiplier: 1.5,
        rounding: 'down',
      },
    ]);
    await guerdon.admin.updateTriggers({ systemKey: 'coins', updates: [{ trigger: { key: 'files', points: 7n } }] });
    await guerdon.admin.archiveTriggers({ systemKey: 'coins', keys: ['files'] });
    await guerdon.boosts.deleteBoosts({ ids: created.map(({ id }) => id) });
    const points = await rest.get('/v1/users/cleo/points/coins');
    expect(points.body.awards).toMatchObject([
      { id: award.id, trigger: { id: award.trigger.id, points: 7, status: 'archived' } },
    ]);
    expect(points.body.awards[0].boosts).toEqual(award.boosts);
    const { created: made, updated } = points.body.awards[0].trigger;
    expect(updated > made).toBe(true);
  });

  it('that leads below every level says so with null', async () => {
    await guerdon.admin.createMetrics({ metrics: [{ key: 'sighs', name: 'Sighs' }] });
    await guerdon.admin.createPointsSystems({ systems: [{ key: 'mood', name: 'Mood' }] });
    await guerdon.admin.createLevels({ systemKey: 'mood', levels: [{ key: 'fine', name: 'Fine', points: 10n }] });
    const type = (metricKey: string) => ({ case: 'metric', value: { metricKey, threshold: '1' } }) as const;
    await guerdon.admin.createTriggers({
      systemKey: 'mood',
      triggers: [
        { key: 'up', points: 10n, type: type('words') },
        { key: 'down', points: -4n, type: type('sighs') },
      ],
    });
    const mood = async (metric: string) =>
      (await rest.post(`/v1/metrics/${metric}/event`, { user: { id: 'moody' }, value: 1 })).body.points.mood;
    expect(await mood('words')).toMatchObject({ total: 10, level: { key: 'fine' } });
    expect(await mood('sighs')).toMatchObject({ total: 6, added: -4, level: null, awards: [{ awarded: -4 }] });
    expect((await rest.get('/v1/users/moody/points/mood')).body.level).toBeNull();
  });

  it('that would take more than there is is refused, and leaves its key free', async () => {
    const { systems } = { systems: [{ key: 'lives', name: 'Lives', noFloor: true }] };
    await guerdon.admin.createPointsSystems({ systems });
    const type = { case: 'metric', value: { metricKey: 'commits', threshold: '1' } } as const;
    await guerdon.admin.createTriggers({ systemKey: 'lives', triggers: [{ key: 'commit', points: -1n, type }] });
    const commit = { user: { id: 'dan' }, value: 1 };
    const refused = await rest.post('/v1/metrics/commits/event', commit, { 'idempotency-key': 'c' });
    expect(refused).toMatchObject({ status: 422, body: { error: 'lives: 1 points are needed, the balance is 0' } });
    await guerdon.admin.archivePointsSystems({ keys: ['lives'] });
    expect((await rest.post('/v1/metrics/commits/event', commit, { 'idempotency-key': 'c' })).status).toBe(201);
  });
});

describe('users', () => {
  it('are created, identified, updated and read', async () => {
    const fields = { email: 'eve@example.org', name: 'Eve', tz: 'Europe/London', attributes: { plan: 'pro' } };
    const { status, body } = await rest.post('/v1/users', { id: 'eve', ...fields, deviceTokens: ['t'], extra: 1 });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: 'eve',
      ...fields,
      deviceTokens: ['t'],
      subscribeToEmails: true,
      control: false,
      created: expect.stringMatching(INSTANT),
      updated: expect.stringMatching(INSTANT),
    });
    expect((await rest.get('/v1/users/eve')).body).toEqual(body);
    expect((await rest.post('/v1/users', { id: 'eve' })).status).toBe(422);
    expect(await rest.patch('/v1/users/eve', { name: 'E' })).toMatchObject({
      status: 200,
      body: { ...fields, name: 'E' },
    });
    expect((await rest.patch('/v1/users/eve', { deviceTokens: ['u', 'v'] })).body.deviceTokens).toEqual(['u', 'v']);
    await rest.post('/v1/metrics/lessons/event', { user: { id: 'eve', deviceTokens: ['w'] }, value: 1 });
    expect((await rest.patch('/v1/users/eve', { name: 'F' })).body.deviceTokens).toEqual(['w']);
    expect((await rest.patch('/v1/users/eve', { deviceTokens: null })).body.deviceTokens).toBeNull();
    expect((await rest.patch('/v1/users/eve', { deviceTokens: [''] })).status).toBe(422);
    const put = await rest.call('PUT', '/v1/users/fay', { tz: 'Asia/Tokyo' });
    expect(put).toMatchObject({
      status: 200,
      body: { id: 'fay', name: null, email: null, tz: 'Asia/Tokyo', attributes: {} },
    });
    expect((await rest.patch('/v1/users/nobody', {})).status).toBe(404);
    expect((await rest.get('/v1/users/nobody')).status).toBe(404);
  });

  it('hear what is wrong in the words of the contract', async () => {
    await rest.post('/v1/users', { id: 'told' });
    const error = async (method: string, path: string, body: object) =>
      (await rest.call(method, path, body)).body.error;
    expect(await error('POST', '/v1/users', { id: 'told' })).toBe(
      'id: is known already; PUT /users/{id} and PATCH /users/{id} change what is known',
    );
    expect(await error('PATCH', '/v1/users/nobody', {})).toBe(
      'id: is not known; PUT /users/{id} and POST /users make a user known',
    );
    const wrong = { tz: 'Mars', attributes: { shoe: '9' } };
    const said = 'must be an IANA time zone such as "Europe/Berlin"';
    const shoe = 'attributes["shoe"]: must be declared as a user attribute first';
    expect(await error('PUT', '/v1/users/told', wrong)).toBe(`tz: ${said}; ${shoe}`);
    const event = { user: { id: 'told', ...wrong }, value: 1 };
    expect(await error('POST', '/v1/metrics/lessons/event', event)).toBe(`user.tz: ${said}; user.${shoe}`);
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']));
    expect(await error('PUT', '/v1/users/told', { attributes: many })).toBe(
      'attributes: must NOT have more than 50 properties',
    );
  });

  it('subscribe with an address, and lose it with the subscription', async () => {
    const missing = await rest.post('/v1/users', { id: 'gus', subscribeToEmails: true });
    expect(missing).toMatchObject({ status: 422, body: { error: expect.stringMatching(/^email:/) } });
    await rest.post('/v1/users', { id: 'gus', email: 'g@example.org', subscribeToEmails: true });
    expect((await rest.patch('/v1/users/gus', { subscribeToEmails: true })).status).toBe(200);
    const left = await rest.patch('/v1/users/gus', { subscribeToEmails: false, email: 'h@example.org' });
    expect(left.body).toMatchObject({ email: null, subscribeToEmails: false });
    const event = { user: { id: 'hal', subscribeToEmails: true }, value: 1 };
    const refused = await rest.post('/v1/metrics/lessons/event', event);
    expect(refused).toMatchObject({ status: 422, body: { error: expect.stringMatching(/^user\.email:/) } });
  });

  it('have metrics, also without events of them', async () => {
    await lesson('ida', 2.5);
    const all = await rest.get('/v1/users/ida/metrics');
    expect(all.body.map(({ key, current }: { key: string; current: number }) => [key, current])).toEqual([
      ['lessons', 2.5],
      ['commits', 0],
      ['files', 0],
      ['words', 0],
      ['sighs', 0],
    ]);
    const one = await rest.get('/v1/users/ida/metrics/lessons');
    expect(one.body).toEqual({ ...all.body[0], name: 'Lessons', status: 'active', achievements: [] });
    expect((await rest.get('/v1/users/ida/metrics/naps')).status).toBe(404);
    expect((await rest.get('/v1/users/nobody/metrics')).status).toBe(404);
  });

  it('have summaries of metrics and points by day, week and month of their zone', async () => {
    // 20:00 on 9 March in New York, and 01:00 on the 10th.
    const user = { id: 'jo', tz: 'America/New_York' };
    for (const [at, value] of [
      ['2025-03-10T00:00:00Z', '2.5'],
      ['2025-03-10T05:00:00Z', '4'],
    ] as const) {
      const occurredAt = { seconds: BigInt(Date.parse(at) / 1000), nanos: 0 };
      await guerdon.events.sendEvent({ metricKey: 'lessons', user, value, occurredAt });
    }
    const query = (aggregation: string) => `aggregation=${aggregation}&startDate=2025-03-09&endDate=2025-03-10`;
    const days = await rest.get(`/v1/users/jo/metrics/lessons/event-summary?${query('daily')}`);
    expect(days.body).toEqual([
      { date: '2025-03-09', total: 2.5, change: 2.5 },
      { date: '2025-03-10', total: 6.5, change: 4 },
    ]);
    const weeks = await rest.get(`/v1/users/jo/metrics/lessons/event-summary?${query('weekly')}`);
    expect(weeks.body.map(({ date }: { date: string }) => date)).toEqual(['2025-03-03', '2025-03-10']);
    const points = await rest.get(`/v1/users/jo/points/xp/event-summary?${query('monthly')}`);
    expect(points.body).toEqual([{ date: '2025-03-01', total: 60, change: 60 }]);
    const long = 'aggregation=daily&startDate=2025-01-01&endDate=2026-03-01';
    for (const what of ['metrics/lessons', 'points/xp']) {
      const wrong = await rest.get(`/v1/users/jo/${what}/event-summary?${long}`);
      expect(wrong).toMatchObject({
        status: 422,
        body: { error: 'endDate: must be at most 400 days after startDate' },
      });
      expect((await rest.get(`/v1/users/jo/${what}/event-summary?aggregation=daily`)).status).toBe(422);
    }
  });

  it('have points, the latest awards first', async () => {
    for (const value of [1, 2, 3]) await lesson('kim', value);
    const { body } = await rest.get('/v1/users/kim/points/xp?awards=2');
    expect(body).toMatchObject({ key: 'xp', name: 'XP', total: 60, level: { key: 'novice', points: 0 } });
    expect(body.awards.map(({ awarded, total }: { awarded: number; total: number }) => [awarded, total])).toEqual([
      [30, 60],
      [20, 30],
    ]);
    await rest.post('/v1/users', { id: 'lee' });
    expect((await rest.get('/v1/users/lee/points/coins')).body).toMatchObject({ total: 0, level: null, awards: [] });
    for (const awards of ['0', '101', 'x', '1&awards=2']) {
      expect((await rest.get(`/v1/users/kim/points/xp?awards=${awards}`)).status).toBe(422);
    }
    expect((await rest.get('/v1/users/kim/points/gems')).status).toBe(404);
  });

  it('have no streak and no achievements', async () => {
    expect((await rest.get('/v1/users/kim/streak')).body).toMatchObject({ length: 0, streakHistory: [] });
    expect((await rest.get('/v1/users/kim/achievements?includeIncomplete=true')).body).toEqual([]);
    expect((await rest.get('/v1/achievements')).body).toEqual([]);
    expect((await rest.get('/v1/streaks?userIds=kim&userIds=lee')).body).toMatchObject([
      { userId: 'kim', streakLength: 0 },
      { userId: 'lee', streakLength: 0 },
    ]);
    const complete = await rest.post('/v1/achievements/first/complete', { user: { id: 'kim' } });
    expect(complete.status).toBe(404);
  });
});
