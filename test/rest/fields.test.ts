import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type RestClient, restClient } from '../support/rest.ts';

// Every answer of the application API whole, field by field, at an instant of the test's own; nothing may be there besides.

const NOW = '2026-03-02T10:00:00.000Z';
const BADGE = 'https://example.org/badge.png';
const ECONOMY = {
  metrics: [{ key: 'pages', name: 'Pages', units: 'p' }],
  userAttributes: [{ key: 'plan', name: 'Plan' }],
  eventAttributes: [{ key: 'book', name: 'Book' }],
  streak: { frequency: 'daily' },
  achievements: [
    {
      key: 'reader',
      name: 'Reader',
      description: 'Read three',
      badgeUrl: BADGE,
      type: 'metric',
      metric: 'pages',
      total: 3,
    },
    { key: 'week', name: 'Week', type: 'streak', length: 7 },
    { key: 'helper', name: 'Helper', type: 'api', userAttributes: { plan: 'pro' } },
  ],
  systems: [
    {
      key: 'gold',
      name: 'Gold',
      description: 'Shiny',
      badgeUrl: BADGE,
      maxPoints: 5000,
      levels: [
        { key: 'rich', name: 'Rich', description: 'Has some', badgeUrl: BADGE, points: 50 },
        { key: 'poor', name: 'Poor', points: 0 },
      ],
      triggers: [
        { key: 'read', metric: 'pages', threshold: 2, points: 20, eventAttributes: { book: 'long' } },
        { key: 'hello', type: 'user_creation', points: 5, userAttributes: { plan: 'pro' } },
        { key: 'daily', type: 'streak', length: 1, points: 1 },
        { key: 'help', type: 'achievement', achievement: 'helper', points: 3 },
        { key: 'gift', type: 'time', every: '2d', points: 1 },
        { key: 'off', metric: 'pages', threshold: 1, points: 1, status: 'inactive' },
      ],
    },
  ],
};

let guerdon: TestGuerdon;
let rest: RestClient;
/** Ids by key, as the admin API tells them. */
const ids: Record<string, string> = {};
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', {}, () => Date.parse(NOW));
  rest = await restClient(guerdon);
  await guerdon.admin.applyEconomy({ file: JSON.stringify(ECONOMY), allowStranding: true });
  for (const path of ['metrics', 'points', 'attributes']) {
    for (const { key, id } of (await rest.get(`/admin/v1/${path}?limit=100`)).body) ids[key] = id;
  }
  for (const { key, id } of (await rest.get(`/admin/v1/points/${ids.gold}/levels`)).body) ids[key] = id;
  for (const { type, id } of (await rest.get(`/admin/v1/points/${ids.gold}/triggers`)).body) ids[type] ??= id;
  const userAttributes = [{ attributeId: ids.plan, attributeValue: 'pro' }];
  const boost = { name: 'Twice', start: '2026-03-01', multiplier: 2, rounding: 'up', userAttributes };
  ids.boost = (await rest.post(`/admin/v1/points/${ids.gold}/boosts`, [boost])).body.created[0].id;
  for (const { name, id } of (await rest.get('/v1/achievements')).body) ids[name] = id;
});
afterAll(() => guerdon.close());

const user = {
  id: 'ada',
  email: 'ada@example.org',
  name: 'Ada',
  tz: 'Europe/Berlin',
  deviceTokens: ['d1'],
  attributes: { plan: 'pro' },
};
const system = () => ({
  id: ids.gold,
  key: 'gold',
  name: 'Gold',
  description: 'Shiny',
  badgeUrl: BADGE,
  maxPoints: 5000,
});
const rich = () => ({ id: ids.rich, key: 'rich', name: 'Rich', description: 'Has some', badgeUrl: BADGE, points: 50 });
const poor = () => ({ id: ids.poor, key: 'poor', name: 'Poor', description: '', badgeUrl: null, points: 0 });
const boost = () => ({
  id: ids.boost,
  name: 'Twice',
  status: 'active',
  start: '2026-03-01',
  end: null,
  multiplier: 2,
  rounding: 'up',
});
const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const trigger = (type: string, points: number, more: object) => ({
  id: ids[type],
  type,
  points,
  status: 'active',
  userAttributes: [],
  created: INSTANT,
  updated: INSTANT,
  ...more,
});
const metricTrigger = () =>
  trigger('metric', 20, {
    metricId: ids.pages,
    metricName: 'Pages',
    metricThreshold: 2,
    eventAttributes: [{ key: 'book', value: 'long' }],
  });
const creationTrigger = () => trigger('user_creation', 5, { userAttributes: [{ key: 'plan', value: 'pro' }] });
const streakTrigger = () => trigger('streak', 1, { streakLengthThreshold: 1 });
const award = (awarded: number, total: number, by: object) => ({
  id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/),
  awarded,
  date: NOW,
  total,
  trigger: by,
  boosts: [boost()],
});
const reader = () => ({
  id: ids.Reader,
  name: 'Reader',
  trigger: 'metric',
  description: 'Read three',
  badgeUrl: BADGE,
  userAttributes: [],
  metricId: ids.pages,
  metricName: 'Pages',
  metricValue: 3,
  eventAttributes: [],
});
const week = () => ({
  id: ids.Week,
  name: 'Week',
  trigger: 'streak',
  description: null,
  badgeUrl: null,
  userAttributes: [],
  streakLength: 7,
});
const helper = () => ({
  id: ids.Helper,
  name: 'Helper',
  trigger: 'api',
  key: 'helper',
  description: null,
  badgeUrl: null,
  userAttributes: [{ key: 'plan', value: 'pro' }],
});
const streak = {
  length: 1,
  frequency: 'daily',
  started: '2026-03-02',
  periodStart: '2026-03-02',
  periodEnd: '2026-03-02',
  expires: '2026-03-03',
};
const read = async (path: string) => {
  const { status, body } = await rest.get(path);
  expect({ path, status }).toEqual({ path, status: 200 });
  return body;
};
const awards = () => [award(40, 50, metricTrigger()), award(10, 60, creationTrigger()), award(2, 62, streakTrigger())];

describe('the application API answers with the fields of the contract, and no others:', () => {
  it('A1, an event', async () => {
    const body = { user, value: 3, attributes: { book: 'long' } };
    const { status, body: told } = await rest.post('/v1/metrics/pages/event', body, { 'idempotency-key': 'k' });
    expect(status).toBe(201);
    const sum = told.points.gold.awards.map((one: { awarded: number }) => one.awarded);
    expect(sum.sort()).toEqual([10, 2, 40]);
    expect(told).toEqual({
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      metricId: ids.pages,
      total: 3,
      achievements: [{ ...reader(), achievedAt: NOW }],
      currentStreak: { ...streak, extended: true },
      points: {
        gold: {
          ...system(),
          total: 52,
          added: 52,
          awards: expect.any(Array),
          level: rich(),
        },
      },
      leaderboards: {},
      idempotencyKey: 'k',
      idempotentReplayed: false,
    });
    const again = await rest.post('/v1/metrics/pages/event', body, { 'idempotency-key': 'k' });
    expect(again).toMatchObject({ status: 202, body: { ...told, idempotentReplayed: true } });
    expect(Object.keys(again.body).sort()).toEqual(Object.keys(told).sort());
  });

  it('A2 to A5, a user', async () => {
    const whole = { ...user, subscribeToEmails: true, control: false, created: NOW, updated: NOW };
    expect(await read('/v1/users/ada')).toEqual(whole);
    const { id, ...fields } = user;
    expect((await rest.call('PUT', '/v1/users/ada', fields)).body).toEqual(whole);
    expect((await rest.patch('/v1/users/ada', {})).body).toEqual(whole);
    const bare = { id: 'bob', email: null, name: null, tz: null, deviceTokens: null, attributes: {} };
    const made = await rest.post('/v1/users', { id: 'bob' });
    expect(made.body).toEqual({ ...bare, subscribeToEmails: false, control: false, created: NOW, updated: NOW });
    expect(id).toBe('ada');
  });

  it('A8 to A10, metrics of a user', async () => {
    const pages = { id: ids.pages, key: 'pages', name: 'Pages', status: 'active', current: 3 };
    const metric = { ...pages, achievements: [{ ...reader(), achievedAt: NOW }] };
    expect(await read('/v1/users/ada/metrics')).toEqual([metric]);
    expect(await read('/v1/users/ada/metrics/pages')).toEqual(metric);
    const days = 'aggregation=daily&startDate=2026-03-01&endDate=2026-03-02';
    expect(await read(`/v1/users/ada/metrics/pages/event-summary?${days}`)).toEqual([
      { date: '2026-03-01', total: 0, change: 0 },
      { date: '2026-03-02', total: 3, change: 3 },
    ]);
  });

  it('A11 and A25, achievements', async () => {
    const stats = { completions: 1, rarity: 50 };
    const none = { completions: 0, rarity: 0 };
    expect(await read('/v1/users/ada/achievements')).toEqual([{ ...reader(), achievedAt: NOW, ...stats }]);
    expect(await read('/v1/users/ada/achievements?includeIncomplete=true')).toEqual([
      { ...reader(), achievedAt: NOW, ...stats },
      { ...helper(), achievedAt: null, ...none },
      { ...week(), achievedAt: null, ...none },
    ]);
    expect(await read('/v1/achievements')).toEqual([
      { ...helper(), ...none },
      { ...reader(), ...stats },
      { ...week(), ...none },
    ]);
  });

  it('A12 and A27, streaks', async () => {
    expect(await read('/v1/users/ada/streak?historyPeriods=2')).toEqual({
      ...streak,
      streakHistory: [
        { periodStart: '2026-03-01', periodEnd: '2026-03-01', length: 0 },
        { periodStart: '2026-03-02', periodEnd: '2026-03-02', length: 1 },
      ],
    });
    expect(await read('/v1/streaks?userIds=ada&userIds=bob')).toEqual([
      { userId: 'ada', streakLength: 1, extended: NOW },
      { userId: 'bob', streakLength: 0, extended: null },
    ]);
  });

  it('A13 to A15, points of a user', async () => {
    const { awards: told, ...points } = await read('/v1/users/ada/points/gold');
    expect(points).toEqual({ ...system(), total: 52, level: rich() });
    expect(told).toHaveLength(3);
    const by = new Map(told.map((one: { trigger: { type: string } }) => [one.trigger.type, one]));
    for (const { total: _, trigger: given, ...one } of awards()) {
      const { type } = given as { type: string };
      expect(by.get(type)).toEqual({ ...one, trigger: given, total: expect.any(Number) });
    }
    expect(Math.max(...told.map(({ total }: { total: number }) => total))).toBe(52);
    expect(await read('/v1/users/ada/points/gold/boosts')).toEqual([boost()]);
    expect(await read('/v1/users/bob/points/gold/boosts')).toEqual([]);
    const months = 'aggregation=monthly&startDate=2026-03-01&endDate=2026-03-02';
    expect(await read(`/v1/users/ada/points/gold/event-summary?${months}`)).toEqual([
      { date: '2026-03-01', total: 52, change: 52 },
    ]);
  });

  it('A18, a points system', async () => {
    expect(await read('/v1/points/gold')).toEqual({
      ...system(),
      triggers: [
        metricTrigger(),
        creationTrigger(),
        streakTrigger(),
        trigger('achievement', 3, { achievementId: ids.Helper, achievementName: 'Helper' }),
        trigger('time', 1, { timeUnit: 'day', timeInterval: 2 }),
      ],
    });
  });

  it('A19, how many users have how many points', async () => {
    const ranges = (zero: number, upTo60: number) => [
      { from: 0, to: 0, users: zero },
      ...Array.from({ length: 10 }, (_, place) => ({
        from: place * 10 + 1,
        to: place * 10 + 10,
        users: place === 5 ? upTo60 : 0,
      })),
    ];
    expect(await read('/v1/points/gold/summary')).toEqual(ranges(1, 1));
    expect(await read('/v1/points/gold/summary?userAttributes=plan:pro')).toEqual(ranges(0, 1));
    expect((await rest.get('/v1/points/gold/summary?userAttributes=plan')).status).toBe(422);
    expect((await rest.get('/v1/points/nope/summary')).status).toBe(404);
  });

  it('A20, boosts of a points system', async () => {
    expect(await read('/v1/points/gold/boosts')).toEqual([boost()]);
    expect(await read('/v1/points/gold/boosts?includeFinished=true')).toEqual([boost()]);
  });

  it('A21 and A22, levels', async () => {
    expect(await read('/v1/points/gold/levels')).toEqual([poor(), rich()]);
    expect(await read('/v1/points/gold/level-summary')).toEqual([
      { level: poor(), users: 1 },
      { level: rich(), users: 1 },
    ]);
  });

  it('A26, an achievement that the app completes', async () => {
    const { status, body } = await rest.post('/v1/achievements/helper/complete', { user: { id: 'ada' } });
    expect(status).toBe(201);
    expect(body).toEqual({
      completionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      achievement: { ...helper(), achievedAt: NOW },
      points: {
        gold: {
          ...system(),
          total: 58,
          added: 6,
          awards: [award(6, 58, trigger('achievement', 3, { achievementId: ids.Helper, achievementName: 'Helper' }))],
        },
      },
    });
  });
});
