import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TrophyApi, TrophyApiClient, type TrophyApiError } from '@trophyso/node';
import { KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';

// The published client as it is, with nothing set but key and addresses.

let guerdon: TestGuerdon;
let trophy: TrophyApiClient;
beforeAll(async () => {
  guerdon = await startGuerdon();
  const base = `http://127.0.0.1:${guerdon.httpPort}`;
  trophy = new TrophyApiClient({ apiKey: KEY, environment: { api: `${base}/v1`, admin: `${base}/admin/v1` } });
});
afterAll(() => guerdon.close());

const failureOf = async (call: Promise<unknown>): Promise<TrophyApiError> =>
  call.then(
    () => {
      throw new Error('it was taken');
    },
    (error) => error,
  );

describe('the published client', () => {
  it('sends events, and each once by its key', async () => {
    const request = {
      user: { id: 'ada', email: 'ada@example.org', tz: 'UTC', attributes: { plan: 'pro' } },
      value: 12,
      attributes: { repo: 'web' },
      idempotencyKey: 'e4296e4b',
    };
    const first = await trophy.metrics.event('lessons', request);
    expect(first).toMatchObject({
      total: 12,
      achievements: [],
      currentStreak: { length: 0, frequency: 'daily', extended: false },
      points: { xp: { key: 'xp', added: 120, total: 120, awards: [{ awarded: 120, total: 120 }] } },
      leaderboards: {},
      idempotencyKey: 'e4296e4b',
      idempotentReplayed: false,
    });
    expect(first.points.xp?.awards[0]?.trigger).toMatchObject({ type: 'metric', points: 10, metricThreshold: 1 });
    const again = await trophy.metrics.event('lessons', request);
    expect(again).toMatchObject({ eventId: first.eventId, total: 12, idempotentReplayed: true });
  });

  it('creates, identifies, updates and gets users', async () => {
    const bob = await trophy.users.create({ id: 'bob', email: 'bob@example.org', name: 'Bob' });
    expect(bob).toMatchObject({ id: 'bob', email: 'bob@example.org', subscribeToEmails: true, control: false });
    expect(bob.created).toBeInstanceOf(Date);
    expect(await trophy.users.get('bob')).toEqual(bob);
    expect(await trophy.users.identify('cleo', { name: 'Cleo' })).toMatchObject({ id: 'cleo', name: 'Cleo' });
    expect(await trophy.users.update('bob', { tz: 'Asia/Tokyo' })).toMatchObject({ name: 'Bob', tz: 'Asia/Tokyo' });
    await trophy.users.create({ id: 'team/7 🦉' });
    expect(await trophy.users.get('team/7 🦉')).toMatchObject({ id: 'team/7 🦉' });
    expect(await trophy.users.points('team/7 🦉', 'xp')).toMatchObject({ total: 0 });
  });

  it('reads metrics and their summaries', async () => {
    const all = await trophy.users.allMetrics('ada');
    expect(all.map(({ key, current }) => [key, current])).toEqual([
      ['lessons', 12],
      ['commits', 0],
      ['files', 0],
    ]);
    expect(await trophy.users.singleMetric('ada', 'lessons')).toMatchObject({
      name: 'Lessons',
      status: 'active',
      current: 12,
    });
    const today = new Date().toISOString().slice(0, 10);
    const year = { aggregation: 'monthly', startDate: `${today.slice(0, 4)}-01-01`, endDate: today } as const;
    expect((await trophy.users.metricEventSummary('ada', 'lessons', year)).at(-1)).toMatchObject({
      total: 12,
      change: 12,
    });
    expect((await trophy.users.pointsEventSummary('ada', 'xp', year)).at(-1)).toMatchObject({
      total: 120,
      change: 120,
    });
  });

  it('reads points, and the points system', async () => {
    const points = await trophy.users.points('ada', 'xp', { awards: 5 });
    expect(points).toMatchObject({ key: 'xp', name: 'XP', total: 120, awards: [{ awarded: 120 }] });
    const system = await trophy.points.system('xp');
    expect(system).toMatchObject({ id: points.id, name: 'XP', triggers: [{ type: 'metric' }, { type: 'metric' }] });
    expect(system.triggers[0]?.created).toBeInstanceOf(Date);
    const summary = await trophy.points.summary('xp', { userAttributes: 'plan:pro' });
    expect(summary).toHaveLength(11);
    expect(summary[2]).toEqual({ from: 101, to: 200, users: 1 });
  });

  it('reads streaks and achievements', async () => {
    expect(await trophy.users.streak('ada', { historyPeriods: 7 })).toMatchObject({ length: 0, frequency: 'daily' });
    expect(await trophy.users.achievements('ada', { includeIncomplete: 'true' })).toEqual([]);
    expect(await trophy.achievements.all()).toEqual([]);
    expect(await trophy.streaks.list({ userIds: ['ada', 'bob'] })).toMatchObject([
      { userId: 'ada', streakLength: 0 },
      { userId: 'bob' },
    ]);
    const complete = await failureOf(trophy.achievements.complete('first', { user: { id: 'ada' } }));
    expect(complete).toMatchObject({ statusCode: 404, body: { error: expect.any(String) } });
  });

  it('hears what is wrong as its own errors', async () => {
    const event = (key: string, request: TrophyApi.MetricsEventRequest) =>
      failureOf(trophy.metrics.event(key, request));
    const unknown = await event('naps', { user: { id: 'ada' }, value: 1 });
    expect(unknown).toMatchObject({ statusCode: 422, body: { error: 'key: no metric "naps" in project demo' } });
    expect(unknown.constructor.name).toBe('UnprocessableEntityError');
    const reused = { user: { id: 'ada' }, value: 99, idempotencyKey: 'e4296e4b', attributes: { repo: 'web' } };
    expect(await event('lessons', reused)).toMatchObject({ statusCode: 422 });
    expect(await failureOf(trophy.points.system('gems'))).toMatchObject({ statusCode: 404 });
    expect((await failureOf(trophy.points.system('gems'))).constructor.name).toBe('NotFoundError');
    const wrong = new TrophyApiClient({
      apiKey: 'no.0123456789abcdef',
      environment: { api: `http://127.0.0.1:${guerdon.httpPort}/v1`, admin: '' },
    });
    expect((await failureOf(wrong.users.get('ada'))).constructor.name).toBe('UnauthorizedError');
  });

  it('hears that something is not offered', async () => {
    const calls = [
      trophy.leaderboards.all(),
      trophy.leaderboards.get('weekly'),
      trophy.users.leaderboard('ada', 'weekly'),
      trophy.users.wrapped('ada'),
      trophy.users.getPreferences('ada'),
      trophy.users.updatePreferences('ada'),
      trophy.streaks.rankings(),
      trophy.admin.streaks.freezes.create({ freezes: [{ userId: 'ada' }] }),
      trophy.admin.streaks.restore({ users: [{ id: 'ada' }] }),
    ];
    for (const call of calls) {
      expect(await failureOf(call)).toMatchObject({
        statusCode: 501,
        body: { error: expect.stringMatching(/not offered/) },
      });
    }
  });
});
