import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type RestClient, restClient } from '../support/rest.ts';
import { until } from '../support/wait.ts';

let guerdon: TestGuerdon;
let rest: RestClient;
let xp = '';
beforeAll(async () => {
  guerdon = await startGuerdon();
  rest = await restClient(guerdon);
  xp = await idOf('/admin/v1/points', 'xp');
});
afterAll(() => guerdon.close());

const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057';

async function idOf(path: string, key: string): Promise<string> {
  const { body } = await rest.get(`${path}?limit=100`);
  return body.find((item: { key: string }) => item.key === key).id;
}

describe('metrics and attributes', () => {
  it('are made, listed, changed and deleted item by item', async () => {
    const made = await rest.post('/admin/v1/metrics', [
      { name: 'Words', key: 'words' },
      { name: 5, key: 'w2' },
      { name: 'Again', key: 'lessons' },
      { name: 'Dollars', key: 'spent', unitType: 'currency', units: 'USD' },
      'no object',
      { name: 'Kilometres', key: 'walked', units: 'km' },
      { name: 'Odd', key: 'odd', unitType: 'currency', units: 'dollars' },
    ]);
    expect(made.status).toBe(201);
    expect(made.body.created).toEqual([
      { id: expect.any(String), name: 'Words', key: 'words', unitType: 'number', units: '' },
      { id: expect.any(String), name: 'Dollars', key: 'spent', unitType: 'currency', units: 'USD' },
      { id: expect.any(String), name: 'Kilometres', key: 'walked', unitType: 'number', units: 'km' },
    ]);
    expect(made.body.issues).toEqual([
      { severity: 'error', index: 1, message: 'name must be string' },
      { severity: 'error', index: 2, message: 'key "lessons" is taken' },
      { severity: 'error', index: 4, message: 'body must be object' },
      { severity: 'error', index: 6, message: 'units must be the code of a currency, such as USD' },
    ]);
    const none = await rest.post('/admin/v1/metrics', [{ key: 'nameless' }]);
    expect(none).toMatchObject({ status: 200, body: { created: [], issues: [{ message: 'name must be given' }] } });
    const [words, spent] = made.body.created;
    expect((await rest.get(`/admin/v1/metrics/${words.id}`)).body).toEqual(words);
    const page = await rest.get('/admin/v1/metrics?skip=3&limit=1');
    expect(page.body).toEqual([words]);
    const changed = await rest.patch('/admin/v1/metrics', [
      { id: words.id, name: 'Words written', units: 'k' },
      { id: UNKNOWN, name: 'x' },
      { id: 'nonsense' },
    ]);
    expect(changed.body).toEqual({
      updated: [{ ...words, name: 'Words written', units: 'k' }],
      issues: [
        { severity: 'error', index: 1, id: UNKNOWN, message: 'Metric not found by ID' },
        { severity: 'error', index: 2, id: 'nonsense', message: 'id must be a valid UUID' },
      ],
    });
    const gone = await rest.del(`/admin/v1/metrics?ids=${spent.id},${UNKNOWN}&ids=x`);
    expect(gone.body).toEqual({
      deleted: [{ id: spent.id }],
      issues: [
        { severity: 'error', id: UNKNOWN, message: 'Metric not found by ID' },
        { severity: 'error', id: 'x', message: 'id must be a valid UUID' },
      ],
    });
    expect((await rest.get(`/admin/v1/metrics/${spent.id}`)).status).toBe(404);
    expect((await rest.del('/admin/v1/metrics')).status).toBe(422);
  });

  it('of users and of events may share a key', async () => {
    const made = await rest.post('/admin/v1/attributes', [
      { name: 'Place', key: 'place', type: 'user' },
      { name: 'Place', key: 'place', type: 'event' },
      { name: 'Place', key: 'place', type: 'user' },
      { name: 'Place', key: 'p', type: 'other' },
    ]);
    expect(made.body.created).toMatchObject([{ type: 'user' }, { type: 'event' }]);
    expect(made.body.issues).toMatchObject([
      { index: 2, severity: 'error', message: 'key "place" is taken' },
      { index: 3, severity: 'error', message: 'type must be one of user, event' },
    ]);
    const [user, event] = made.body.created;
    expect((await rest.get(`/admin/v1/attributes/${event.id}`)).body).toEqual(event);
    const changed = await rest.patch('/admin/v1/attributes', [{ id: user.id, name: 'Where' }]);
    expect(changed.body).toEqual({ updated: [{ ...user, name: 'Where' }], issues: [] });
    const gone = await rest.del(`/admin/v1/attributes?ids=${user.id}&ids=${event.id}`);
    expect(gone.body).toEqual({ deleted: [{ id: user.id }, { id: event.id }], issues: [] });
  });

  it('are not found by the id of another kind of thing', async () => {
    expect((await rest.get(`/admin/v1/metrics/${xp}`)).status).toBe(404);
    expect((await rest.get(`/admin/v1/points/${await idOf('/admin/v1/metrics', 'lessons')}`)).status).toBe(404);
  });
});

describe('points systems', () => {
  it('come with levels, triggers and boosts, which say for themselves what is wrong', async () => {
    const metricId = await idOf('/admin/v1/metrics', 'lessons');
    const made = await rest.post('/admin/v1/points', [
      {
        name: 'Gems',
        key: 'gems',
        description: 'Shiny',
        badge: { url: 'https://example.org/g.png' },
        maxPoints: 50,
        levels: [{ name: 'Rich', key: 'rich', points: 40 }, { name: 'No' }],
        triggers: [{ type: 'metric', points: 3, status: 'active', metricId, metricThreshold: 2 }],
        boosts: [{ name: 'Half', start: '2999-01-01', multiplier: 1.5 }],
      },
      { name: 'XP', key: 'xp' },
      { name: 'Zero', key: 'zero', maxPoints: 0 },
    ]);
    expect(made.status).toBe(201);
    const [gems] = made.body.created;
    expect(gems).toMatchObject({
      name: 'Gems',
      key: 'gems',
      description: 'Shiny',
      status: 'active',
      badge: { url: 'https://example.org/g.png' },
      maxPoints: 50,
      levels: [{ name: 'Rich', key: 'rich', points: 40, description: '', badge: null }],
      triggers: [{ type: 'metric', points: 3, status: 'active', metricId, metricThreshold: 2 }],
      boosts: [{ name: 'Half', status: 'scheduled', multiplier: 1.5, userId: null, userAttributes: [] }],
    });
    expect(made.body.issues.map(({ index, message }: { index: number; message: string }) => [index, message])).toEqual([
      [0, 'levels[1]: key must be given'],
      [0, 'levels[1]: points must be given'],
      [1, 'key "xp" is taken'],
      [2, 'maxPoints must be >= 1'],
    ]);
    await rest.post('/v1/metrics/lessons/event', { user: { id: 'ada' }, value: 40 });
    expect((await rest.get('/v1/users/ada/points/gems')).body).toMatchObject({
      badgeUrl: 'https://example.org/g.png',
      total: 50,
      level: { key: 'rich' },
    });
    const changed = await rest.patch('/admin/v1/points', [{ id: gems.id, maxPoints: null, name: 'Gemstones' }]);
    expect(changed.body.updated).toMatchObject([
      {
        id: gems.id,
        maxPoints: null,
        name: 'Gemstones',
        description: 'Shiny',
        badge: { url: 'https://example.org/g.png' },
      },
    ]);
    expect((await rest.get(`/admin/v1/points/${gems.id}`)).body).toEqual(changed.body.updated[0]);
    const bare = await rest.patch('/admin/v1/points', [{ id: gems.id, badge: null }]);
    expect(bare.body).toMatchObject({ updated: [{ name: 'Gemstones', badge: null }], issues: [] });
    expect((await rest.get('/v1/points/gems')).body.badgeUrl).toBeNull();
    const gone = await rest.del(`/admin/v1/points?ids=${gems.id}`);
    expect(gone.body).toEqual({ deleted: [{ id: gems.id }], issues: [] });
    expect((await rest.get(`/admin/v1/points/${gems.id}`)).status).toBe(404);
    expect((await rest.get('/v1/points/gems')).status).toBe(404);
  });
});

describe('levels', () => {
  it('are made, listed, changed and deleted, and keep their ids', async () => {
    const at = `/admin/v1/points/${xp}/levels`;
    const level = { name: 'Legend', key: 'legend', points: 50_000, description: 'All of it' };
    const made = await rest.post(at, [level, { ...level, key: 'adept' }, { ...level, key: 'low', points: -1 }]);
    expect(made.body.created).toEqual([{ id: expect.any(String), ...level, badge: null }]);
    expect(made.body.issues).toMatchObject([{ index: 1 }, { index: 2, message: 'points must be >= 0' }]);
    const [{ id }] = made.body.created;
    const shown = await rest.get('/v1/points/xp/levels');
    expect(shown.body.at(-1)).toEqual({ id, ...level, badgeUrl: null });
    const changed = await rest.patch(at, [{ id, points: 60_000, badge: { url: 'https://example.org/b.png' } }]);
    expect(changed.body).toEqual({
      updated: [{ id, ...level, points: 60_000, badge: { url: 'https://example.org/b.png' } }],
      issues: [],
    });
    expect((await rest.get('/v1/points/xp/levels')).body.at(-1).badgeUrl).toBe('https://example.org/b.png');
    expect((await rest.get(`${at}/${id}`)).body).toEqual(changed.body.updated[0]);
    expect((await rest.get(`${at}?limit=2&skip=1`)).body.map(({ key }: { key: string }) => key)).toEqual([
      'apprentice',
      'adept',
    ]);
    expect((await rest.del(`${at}?ids=${id}`)).body.deleted).toEqual([{ id }]);
    expect((await rest.get(`${at}/${id}`)).status).toBe(404);
    expect((await rest.get(`/admin/v1/points/${UNKNOWN}/levels`)).status).toBe(404);
  });

  it('are counted by user, and 422 where there are none', async () => {
    await rest.post('/v1/metrics/commits/event', { user: { id: 'lev' }, value: 60 });
    const { body } = await rest.get('/v1/points/xp/level-summary');
    expect(body.find(({ level }: { level: { key: string } }) => level.key === 'adept').users).toBe(1);
    expect((await rest.get('/v1/points/coins/level-summary')).status).toBe(422);
    expect((await rest.get('/v1/points/coins/levels')).body).toEqual([]);
  });
});

describe('triggers', () => {
  it('are made inactive, activated, filtered, changed and deleted', async () => {
    const at = `/admin/v1/points/${xp}/triggers`;
    const [plan, repo, metricId] = await Promise.all([
      idOf('/admin/v1/attributes', 'plan'),
      idOf('/admin/v1/attributes', 'repo'),
      idOf('/admin/v1/metrics', 'files'),
    ]);
    const userAttributes = [{ attributeId: plan, attributeValue: 'pro' }];
    const eventAttributes = [{ attributeId: repo, attributeValue: 'web' }];
    const files = { type: 'metric', points: 7, metricId, metricThreshold: 1, userAttributes, eventAttributes };
    const made = await rest.post(at, [
      files,
      { type: 'user_creation', points: -5, status: 'active', blockIfOutOfPoints: true },
      { type: 'streak', points: 5 },
      { ...files, metricId: UNKNOWN },
      { ...files, points: 0 },
      { ...files, eventAttributes: userAttributes },
      { type: 'metric', points: 1 },
    ]);
    expect(made.body.created).toEqual([
      { id: expect.any(String), ...files, status: 'inactive', blockIfOutOfPoints: false },
      {
        id: expect.any(String),
        type: 'user_creation',
        points: -5,
        status: 'active',
        userAttributes: [],
        blockIfOutOfPoints: true,
      },
    ]);
    expect(made.body.issues.map(({ index, message }: { index: number; message: string }) => [index, message])).toEqual([
      [2, 'streakLength must be given'],
      [3, 'Metric not found by ID'],
      [4, 'points must be a whole number, not 0'],
      [5, `eventAttributes: there is no event attribute ${plan}`],
      [6, 'metricId must be given'],
      [6, 'metricThreshold must be given'],
    ]);
    const [trigger, creation] = made.body.created;
    const event = { user: { id: 'tri', attributes: { plan: 'pro' } }, value: 2, attributes: { repo: 'web' } };
    // 5 points on creation are more than there are.
    expect((await rest.post('/v1/metrics/files/event', event)).status).toBe(422);
    expect((await rest.del(`${at}?ids=${creation.id}`)).body.deleted).toEqual([{ id: creation.id }]);
    expect((await rest.post('/v1/metrics/files/event', event)).body.points).toEqual({});
    const changed = await rest.patch(at, [
      { id: trigger.id, status: 'active', points: 8, metricThreshold: 0.5, userAttributes: null },
      { id: trigger.id, type: 'user_creation' },
      { id: creation.id, points: 1 },
    ]);
    const now = { ...trigger, status: 'active', points: 8, metricThreshold: 0.5, userAttributes: [] };
    expect(changed.body.updated).toEqual([now]);
    expect(changed.body.issues).toMatchObject([
      { index: 1, id: trigger.id, message: expect.stringMatching(/^type can be changed only while/) },
      { index: 2, id: creation.id, message: 'Points trigger not found by ID' },
    ]);
    const paid = await rest.post('/v1/metrics/files/event', { ...event, user: { id: 'tri2' } });
    expect(paid.body.points.xp).toMatchObject({
      added: 32,
      awards: [{ trigger: { id: trigger.id, userAttributes: [], eventAttributes: [{ key: 'repo', value: 'web' }] } }],
    });
    expect((await rest.get(`${at}/${trigger.id}`)).body).toEqual(now);
    expect((await rest.patch(at, [{ id: trigger.id }])).body.updated).toEqual([now]);
    expect((await rest.get('/v1/points/xp')).body.triggers.map(({ id }: { id: string }) => id)).toContain(trigger.id);
    await rest.patch(at, [{ id: trigger.id, status: 'inactive' }]);
    expect((await rest.get('/v1/points/xp')).body.triggers.map(({ id }: { id: string }) => id)).not.toContain(
      trigger.id,
    );
  });
});

describe('many events at once', () => {
  it('are stored before the answer and applied in their order after it; a key counts once', async () => {
    const batch = Array.from({ length: 600 }, (_, index) => ({
      key: 'commits',
      user: { id: `batch${index % 3}` },
      value: 1,
      ...(index % 2 === 0 && { idempotencyKey: `k${index}` }),
    }));
    for (let time = 0; time < 2; time += 1) {
      expect(await rest.post('/admin/v1/metrics/events', batch)).toMatchObject({
        status: 202,
        body: { accepted: 600 },
      });
    }
    // Each is an import, the later one first.
    const imports = async () => (await rest.get('/v1/imports?pageSize=2')).body.imports;
    const done = async () => (await imports()).every(({ state }: { state: string }) => state === 'done');
    await until(done, { what: 'all events to be applied', timeoutMs: 20_000 });
    expect(await imports()).toMatchObject([
      { name: 'POST /admin/v1/metrics/events', applied: 300, duplicate: 300 },
      { name: 'POST /admin/v1/metrics/events', applied: 600 },
    ]);
    for (const user of ['batch0', 'batch1', 'batch2']) {
      expect((await rest.get(`/v1/users/${user}/metrics/commits`)).body.current).toBe(300);
    }
  });

  it('are refused together: 404 for an unknown metric, 422 for what is wrong with one', async () => {
    const good = { key: 'commits', user: { id: 'never' }, value: 1 };
    const unknown = await rest.post('/admin/v1/metrics/events', [good, { ...good, key: 'naps' }]);
    expect(unknown.status).toBe(404);
    const wrong = await rest.post('/admin/v1/metrics/events', [good, { ...good, attributes: { shoe: '9' } }]);
    expect(wrong).toMatchObject({ status: 422, body: { error: expect.stringContaining('[1].attributes["shoe"]') } });
    expect((await rest.post('/admin/v1/metrics/events', [])).status).toBe(422);
    expect((await rest.get('/v1/users/never')).status).toBe(404);
  });
});

describe('application keys', () => {
  it('are shown once, are for one user, and end for ever', async () => {
    const made = await rest.post('/admin/v1/application-api-keys', [{ userId: 'ada' }, { userId: '' }, {}]);
    expect(made).toMatchObject({
      status: 201,
      body: { created: [{ userId: 'ada' }], issues: [{ index: 1 }, { index: 2 }] },
    });
    const [{ id, key, prefix }] = made.body.created;
    expect(key.startsWith(`${prefix}.`)).toBe(true);
    const app = await restClient(guerdon, key);
    expect((await app.get('/v1/users/ada')).status).toBe(200);
    const gone = await rest.del(`/admin/v1/application-api-keys?ids=${id}&ids=${UNKNOWN}`);
    expect(gone.body).toEqual({
      deleted: [{ id }],
      issues: [{ severity: 'error', id: UNKNOWN, message: 'Application API key not found by ID' }],
    });
    await until(async () => (await app.get('/v1/users/ada')).status === 401, { what: 'the key to be taken no more' });
    expect((await rest.del(`/admin/v1/application-api-keys?ids=${id}`)).body.deleted).toEqual([]);
  });
});
