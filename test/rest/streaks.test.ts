import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TimerMode, TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';
import { type RestAnswer, type RestClient, restClient } from '../support/rest.ts';

// What goes on over days: streaks, achievements, clocks, and the triggers on them, at instants of the test's own.

const DAY = '2026-03-02';
const at = (day: number, hour = 10) => Date.parse(`${DAY}T00:00:00Z`) + (day * 24 + hour) * 3_600_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057';

let clock = at(0);
let guerdon: TestGuerdon;
let rest: RestClient;
let systems: Record<string, string> = {};
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', {}, () => clock);
  rest = await restClient(guerdon);
  const { body } = await rest.get('/admin/v1/points');
  systems = Object.fromEntries(body.map(({ key, id }: { key: string; id: string }) => [key, id]));
});
afterAll(async () => {
  // What is due by the clock may still be being settled, and what is looked through must be at rest.
  await guerdon.running.close();
  await expectSound(guerdon.database);
  await guerdon.close();
});

const event = (metric: string, user: string, value: number, key?: string): Promise<RestAnswer> =>
  rest.post(`/v1/metrics/${metric}/event`, { user: { id: user }, value }, key ? { 'idempotency-key': key } : {});
const triggersOf = (system: string) => `/admin/v1/points/${systems[system]}/triggers`;
const NONE = { length: 0, frequency: 'daily', started: null, periodStart: null, periodEnd: null, expires: null };
const common = { id: expect.stringMatching(UUID), userAttributes: [], blockIfOutOfPoints: false };

describe('a project that counts no streak', () => {
  it('tells of one of length 0', async () => {
    expect((await event('lessons', 'old', 12)).body.currentStreak).toEqual({ ...NONE, extended: false });
    expect((await rest.get('/v1/users/old/streak')).body).toEqual({ ...NONE, streakHistory: [] });
    expect((await rest.get('/v1/users/nobody/streak')).status).toBe(404);
  });

  it('counts a daily one from the first trigger on it, and says so', async () => {
    const streak = { type: 'streak', points: 7, streakLength: 2 };
    const made = await rest.post(triggersOf('xp'), [
      { ...streak, status: 'active' },
      { ...streak, streakLength: 0 },
    ]);
    expect(made).toMatchObject({ status: 201 });
    expect(made.body).toEqual({
      created: [{ ...common, ...streak, status: 'active' }],
      issues: [
        {
          severity: 'warning',
          index: 0,
          message: 'the project counted no streak; it counts a daily one of all metrics',
        },
        { severity: 'error', index: 1, message: 'streakLength must be >= 1' },
      ],
    });
    const second = await rest.post(triggersOf('coins'), [streak]);
    expect(second.body).toEqual({ created: [{ ...common, ...streak, status: 'inactive' }], issues: [] });
    const [{ id }] = second.body.created;
    const changed = await rest.patch(triggersOf('coins'), [{ id, streakLength: 30 }]);
    expect(changed.body).toEqual({ updated: [{ ...second.body.created[0], streakLength: 30 }], issues: [] });
  });
});

describe('a streak', () => {
  const first = { started: DAY, periodStart: DAY, periodEnd: DAY, expires: '2026-03-03' };

  it('is told with each event, and pays', async () => {
    const begun = await event('commits', 'ada', 1, 'first');
    expect(begun.body.currentStreak).toEqual({ length: 1, frequency: 'daily', ...first, extended: true });
    expect((await event('commits', 'ada', 1)).body.currentStreak).toMatchObject({ length: 1, extended: false });
    clock = at(1);
    // Nothing done is no part of it.
    expect((await event('commits', 'ada', 0)).body.currentStreak).toEqual({
      length: 1,
      frequency: 'daily',
      ...first,
      extended: false,
    });
    const { body } = await event('commits', 'ada', 1);
    expect(body.currentStreak).toMatchObject({ length: 2, started: DAY, periodStart: '2026-03-03', extended: true });
    const award = body.points.xp.awards.find(({ trigger }: { trigger: { type: string } }) => trigger.type === 'streak');
    expect(award).toMatchObject({ awarded: 7, trigger: { points: 7, streakLengthThreshold: 2, userAttributes: [] } });
    expect(award.trigger).not.toHaveProperty('eventAttributes');
    const again = await event('commits', 'ada', 1, 'first');
    expect(again).toMatchObject({ status: 202, body: { currentStreak: { length: 2, extended: true } } });
  });

  it('is read with its latest periods, and ends', async () => {
    const history = (days: number[]) =>
      days.map((length, place) => {
        const day = new Date(at(place + 2 - days.length)).toISOString().slice(0, 10);
        return { periodStart: day, periodEnd: day, length };
      });
    const { body } = await rest.get('/v1/users/ada/streak?historyPeriods=3');
    expect(body).toEqual({
      length: 2,
      frequency: 'daily',
      started: DAY,
      periodStart: '2026-03-03',
      periodEnd: '2026-03-03',
      expires: '2026-03-04',
      streakHistory: history([0, 1, 2]),
    });
    expect((await rest.get('/v1/users/ada/streak')).body.streakHistory).toHaveLength(14);
    expect((await rest.get('/v1/users/ada/streak?historyPeriods=0')).body.streakHistory).toEqual([]);
    expect((await rest.get('/v1/users/ada/streak?historyPeriods=101')).status).toBe(422);
    const streaks = [
      { userId: 'old', streakLength: 0, extended: null },
      { userId: 'ada', streakLength: 2, extended: new Date(at(1)).toISOString() },
      { userId: 'nobody', streakLength: 0, extended: null },
    ];
    expect((await rest.get('/v1/streaks?userIds=old&userIds=ada&userIds=nobody')).body).toEqual(streaks);
    expect((await rest.get('/v1/streaks?userIds=old,ada,nobody')).body).toEqual(streaks);
    await event('commits', 'ada,nobody', 1);
    const both = { userId: 'ada,nobody', streakLength: 1, extended: new Date(clock).toISOString() };
    expect((await rest.get('/v1/streaks?userIds=ada%2Cnobody')).body).toEqual([both]);
    expect((await rest.get('/v1/streaks?userIds=ada&userIds=ada,nobody')).body).toEqual([streaks[1], both]);
    await event('commits', 'late', 1);
    const late = { metricKey: 'commits', user: { id: 'late' }, value: '1' };
    await guerdon.events.sendEvent({ ...late, occurredAt: timestampFromMs(at(0)) });
    expect((await rest.get('/v1/streaks?userIds=late')).body).toEqual([{ ...both, userId: 'late', streakLength: 2 }]);
    const many = Array.from({ length: 101 }, (_, index) => index);
    for (const query of [`userIds=${many}`, many.map((id) => `userIds=${id}`).join('&')]) {
      expect((await rest.get(`/v1/streaks?${query}`)).status).toBe(422);
    }
    expect((await rest.get('/v1/streaks')).body).toEqual([]);
    clock = at(3);
    expect((await rest.get('/v1/users/ada/streak?historyPeriods=2')).body).toMatchObject({ ...NONE });
  });
});

describe('achievements', () => {
  const NAMES = { description: null, badgeUrl: null, userAttributes: [] };
  let ids: Record<string, string> = {};
  beforeAll(async () => {
    const rule = <C extends string, V>(name: C, value: V) => ({ case: name, value });
    const { created } = await guerdon.admin.createAchievements({
      achievements: [
        {
          key: 'profile',
          name: 'All about you',
          description: 'Fill it in',
          userAttributes: [{ key: 'plan', value: 'pro' }],
          rule: rule('api' as const, {}),
        },
        { key: 'ten', name: 'Ten lessons', rule: rule('metric' as const, { metricKey: 'lessons', total: '10' }) },
        { key: 'two', name: 'Two days', rule: rule('streak' as const, { length: 2 }) },
        { key: 'asleep', name: 'Asleep', status: TriggerStatus.INACTIVE, rule: rule('api' as const, {}) },
      ],
    });
    ids = Object.fromEntries(created.map(({ key, id }) => [key, id]));
    await guerdon.admin.createLevels({
      systemKey: 'xp',
      levels: [{ key: 'ninth', name: 'Ninth', points: 90n, rewards: [{ systemKey: 'coins', points: 50n }] }],
    });
  });
  const shapes = () => {
    const metricId = expect.stringMatching(UUID);
    return {
      profile: {
        ...NAMES,
        id: ids.profile,
        name: 'All about you',
        description: 'Fill it in',
        trigger: 'api',
        key: 'profile',
        userAttributes: [{ key: 'plan', value: 'pro' }],
      },
      ten: {
        ...NAMES,
        id: ids.ten,
        name: 'Ten lessons',
        trigger: 'metric',
        metricId,
        metricName: 'Lessons',
        metricValue: 10,
        eventAttributes: [],
      },
      two: { ...NAMES, id: ids.two, name: 'Two days', trigger: 'streak', streakLength: 2 },
    };
  };

  it('have triggers, which pay and are shown by the name', async () => {
    const made = await rest.post(triggersOf('coins'), [
      { type: 'achievement', points: 25, status: 'active', achievementId: ids.ten },
      { type: 'achievement', points: 1 },
      { type: 'achievement', points: 1, achievementId: UNKNOWN },
    ]);
    expect(made.body.created).toEqual([
      { ...common, type: 'achievement', points: 25, status: 'active', achievementId: ids.ten },
    ]);
    expect(made.body.issues).toEqual([
      { severity: 'error', index: 1, message: 'achievementId must be given' },
      { severity: 'error', index: 2, message: 'Achievement not found by ID' },
    ]);
    const { body } = await event('lessons', 'bob', 9);
    expect(body.achievements).toEqual([]);
    // A reward of a level is part of what was added, and no award.
    expect(body.points.coins).toMatchObject({ added: 50, total: 50, awards: [] });
    const done = await event('lessons', 'bob', 1, 'tenth');
    expect(done.body.achievements).toEqual([{ ...shapes().ten, achievedAt: new Date(clock).toISOString() }]);
    expect(done.body.points.coins).toMatchObject({ added: 25, total: 75 });
    expect(done.body.points.coins.awards[0].trigger).toEqual({
      id: made.body.created[0].id,
      type: 'achievement',
      points: 25,
      status: 'active',
      achievementId: ids.ten,
      achievementName: 'Ten lessons',
      userAttributes: [],
      created: expect.stringMatching(INSTANT),
      updated: expect.stringMatching(INSTANT),
    });
    const again = await event('lessons', 'bob', 1, 'tenth');
    expect(again.body.achievements).toEqual(done.body.achievements);
    const [other] = (await rest.get('/v1/users/bob/metrics')).body;
    expect(other.achievements).toEqual(done.body.achievements);
  });

  it('that somebody had what it takes for before are completed without an award, and told by the lists', async () => {
    const { body } = await event('lessons', 'old', 1);
    expect(body).toMatchObject({ total: 13, achievements: [] });
    expect(body.points).not.toHaveProperty('coins');
    expect((await rest.get('/v1/users/old/achievements')).body).toMatchObject([{ id: ids.ten }]);
  });

  it('are completed by the app once: 201, then 202 with the first completion', async () => {
    const user = { id: 'cleo', attributes: { plan: 'pro' } };
    const complete = (key: string, more: object = {}) =>
      rest.post(`/v1/achievements/${key}/complete`, { user: { ...user, ...more } });
    const trigger = { type: 'achievement', points: 40, status: 'active', achievementId: ids.profile };
    await rest.post(triggersOf('xp'), [trigger]);
    const done = await complete('profile', { name: 'Cleo' });
    expect(done.status).toBe(201);
    expect(done.body).toEqual({
      completionId: expect.stringMatching(UUID),
      achievement: { ...shapes().profile, achievedAt: new Date(clock).toISOString() },
      points: { xp: expect.objectContaining({ key: 'xp', added: 40, total: 40, awards: [expect.anything()] }) },
    });
    expect(done.body.points.xp.awards[0]).toMatchObject({ awarded: 40, trigger: { achievementName: 'All about you' } });
    expect((await rest.get('/v1/users/cleo')).body).toMatchObject({ name: 'Cleo', attributes: { plan: 'pro' } });
    clock += 60_000;
    const again = await complete('profile', { name: 'Other' });
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({
      completionId: done.body.completionId,
      achievement: done.body.achievement,
      points: { xp: { total: 40, awards: done.body.points.xp.awards } },
    });
    expect((await rest.get('/v1/users/cleo')).body.name).toBe('Cleo');
    const read = await rest.get('/v1/users/cleo/points/xp');
    expect(read.body.awards).toEqual(done.body.points.xp.awards);
    expect((await complete('nothing')).status).toBe(404);
    for (const key of ['asleep', 'ten']) expect((await complete(key)).status).toBe(422);
    expect((await rest.post('/v1/achievements/profile/complete', { user: { id: 'free' } })).status).toBe(422);
    expect((await complete('profile', { attributes: { shoe: '9' } })).status).toBe(422);
    const { created } = (await rest.post('/admin/v1/application-api-keys', [{ userId: 'cleo' }])).body;
    const app = await restClient(guerdon, created[0].key);
    expect((await app.post('/v1/achievements/profile/complete', { user: { id: 'cleo' } })).status).toBe(202);
    expect((await app.post('/v1/achievements/profile/complete', { user: { id: 'bob' } })).status).toBe(403);
    expect((await app.get('/v1/users/cleo/achievements')).body).toHaveLength(1);
  });

  it('are completed once however many say so at the same time', async () => {
    const user = { id: 'race', attributes: { plan: 'pro' } };
    // Who waits for an outcome looks again after a while, by this clock.
    const going = setInterval(() => (clock += 50), 50);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => rest.post('/v1/achievements/profile/complete', { user })),
    );
    clearInterval(going);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(11).fill(202)]);
    expect(new Set(answers.map(({ body }) => body.completionId)).size).toBe(1);
    expect((await rest.get('/v1/users/race/points/xp')).body.total).toBe(40);
  });

  it('are listed, with how many users have them', async () => {
    const { profile, ten, two } = shapes();
    const users = Number(
      (await guerdon.database.pool.query('select count(*) from users where created_at is not null')).rows[0].count,
    );
    const rarity = (count: number) => Math.round((count / users) * 10_000) / 100;
    expect((await rest.get('/v1/achievements')).body).toEqual([
      { ...profile, completions: 2, rarity: rarity(2) },
      { ...ten, completions: 2, rarity: rarity(2) },
      { ...two, completions: 0, rarity: 0 },
    ]);
    const bobs = await rest.get('/v1/users/bob/achievements');
    const done = { ...ten, achievedAt: expect.stringMatching(INSTANT), completions: 2, rarity: rarity(2) };
    expect(bobs.body).toEqual([done]);
    expect((await rest.get('/v1/users/bob/achievements?includeIncomplete=true')).body).toEqual([
      done,
      { ...profile, achievedAt: null, completions: 2, rarity: rarity(2) },
      { ...two, achievedAt: null, completions: 0, rarity: 0 },
    ]);
    expect((await rest.get('/v1/users/nobody/achievements')).status).toBe(404);
    const one = await rest.get('/v1/users/ada/metrics/lessons');
    expect(one.body.achievements).toEqual([{ ...ten, achievedAt: null }]);
    expect((await rest.get('/v1/users/ada/metrics/commits')).body.achievements).toEqual([]);
  });
});

describe('triggers by the clock', () => {
  it('are made, changed and paid, each award with an id of its own', async () => {
    const time = { type: 'time', points: 2, timeUnit: 'hours', timeInterval: 3 };
    const made = await rest.post(triggersOf('coins'), [
      { ...time, status: 'active' },
      { ...time, timeUnit: 'days', timeInterval: 1_000_000 },
      { type: 'time', points: 2, timeUnit: 'hours' },
      { ...time, timeUnit: 'weeks' },
    ]);
    expect(made.body.created).toEqual([{ ...common, ...time, status: 'active' }]);
    expect(made.body.issues).toMatchObject([
      { index: 1, message: expect.stringMatching(/^timeInterval /) },
      { index: 2, message: 'timeInterval must be given' },
      { index: 3, message: 'timeUnit must be one of hours, days' },
    ]);
    const [trigger] = made.body.created;
    await rest.post('/v1/users', { id: 'tick' });
    for (const hours of [7, 3]) {
      clock += hours * 3_600_000;
      await event('files', 'tick', 1);
    }
    const { body } = await rest.get('/v1/users/tick/points/coins');
    expect(body.awards).toMatchObject([
      { awarded: 2, total: 6, trigger: { id: trigger.id, type: 'time', timeUnit: 'hour', timeInterval: 3 } },
      { awarded: 4, total: 4 },
    ]);
    expect(body.awards[0].id).not.toBe(body.awards[1].id);
    const faster = await rest.patch(triggersOf('coins'), [{ id: trigger.id, timeInterval: 2 }]);
    expect(faster.body).toEqual({ updated: [{ ...trigger, timeInterval: 2 }], issues: [] });
    const daily = await rest.patch(triggersOf('coins'), [{ id: trigger.id, timeUnit: 'days', timeInterval: 1 }]);
    expect(daily.body.updated).toEqual([{ ...trigger, timeUnit: 'days', timeInterval: 1 }]);
    const half = await rest.patch(triggersOf('coins'), [{ id: trigger.id, timeInterval: 12 }]);
    expect(half.body).toEqual({
      updated: [],
      issues: [
        { severity: 'error', index: 0, id: trigger.id, message: 'timeUnit and timeInterval must be given together' },
      ],
    });
  });

  it('that run below the cap are shown, and keep to it', async () => {
    const every = { seconds: 7_200n, nanos: 0 };
    const type = { case: 'time', value: { every, runs: TimerMode.BELOW_CAP } } as const;
    await guerdon.admin.createTriggers({ systemKey: 'energy', triggers: [{ key: 'refill', points: 1n, type }] });
    const [, refill] = (await rest.get(triggersOf('energy'))).body;
    expect(refill).toMatchObject({ type: 'time', timeUnit: 'hours', timeInterval: 2, status: 'active' });
    await rest.patch(triggersOf('energy'), [{ id: refill.id, timeInterval: 5 }]);
    const { trigger } = await guerdon.admin.getTrigger({ systemKey: 'energy', key: 'refill' });
    expect(trigger?.type).toMatchObject({ value: { every: { seconds: 18_000n }, runs: TimerMode.BELOW_CAP } });
    expect((await rest.get('/v1/points/energy')).body.triggers).toMatchObject([
      { type: 'metric' },
      { type: 'time', timeUnit: 'hour', timeInterval: 5 },
    ]);
  });
});

describe('the type of a trigger', () => {
  it('is changed while it is inactive, with what the other type needs', async () => {
    const made = await rest.post(triggersOf('energy'), [{ type: 'user_creation', points: 3 }]);
    const [{ id }] = made.body.created;
    const change = async (asked: object) => (await rest.patch(triggersOf('energy'), [{ id, ...asked }])).body;
    expect(await change({ type: 'time', timeUnit: 'days' })).toEqual({
      updated: [],
      issues: [{ severity: 'error', index: 0, id, message: 'timeInterval must be given' }],
    });
    const time = { ...common, id, type: 'time', points: 4, timeUnit: 'days', timeInterval: 2, status: 'inactive' };
    expect(await change({ type: 'time', timeUnit: 'days', timeInterval: 2, points: 4 })).toEqual({
      updated: [time],
      issues: [],
    });
    // What another type has is no part of it.
    expect((await change({ streakLength: 3 })).updated).toEqual([time]);
    const streak = { ...common, id, type: 'streak', points: 4, streakLength: 3, status: 'active' };
    expect((await change({ type: 'streak', streakLength: 3, status: 'active' })).updated).toEqual([streak]);
    expect(await change({ type: 'user_creation' })).toEqual({
      updated: [],
      issues: [{ severity: 'error', index: 0, id, message: expect.stringMatching(/^type can be changed only while/) }],
    });
    expect((await rest.get(`${triggersOf('energy')}/${id}`)).body).toEqual(streak);
  });
});
