import { Code, ConnectError } from '@connectrpc/connect';
import { expect, it } from '@jest/globals';
import { WhyNot } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { describeOnBackends } from '../support/backends.ts';
import { DAY, instant, startTimed, type TimedGuerdon, text } from '../support/clock.ts';

const api = (key: string, more: object = {}) => ({ key, name: key, type: 'api', ...more });
const total = (key: string, needed: number, more: object = {}) => ({
  ...api(key, { type: 'metric', metric: 'lessons', total: needed }),
  ...more,
});
const onAchievement = (achievement: string, points: number, more: object = {}) => ({
  key: `on_${achievement}`,
  type: 'achievement',
  achievement,
  points,
  ...more,
});

function economy(achievements: object[], triggers: object[] = [], more: object = {}): object {
  return {
    metrics: [
      { key: 'lessons', name: 'Lessons' },
      { key: 'pages', name: 'Pages' },
    ],
    userAttributes: [{ key: 'plan', name: 'Plan' }],
    streak: { frequency: 'daily' },
    achievements,
    systems: [{ key: 'gold', name: 'Gold', triggers, ...more }],
  };
}

const complete = ({ achievements }: TimedGuerdon, id: string, achievementKey: string, profile: object = {}) =>
  achievements.completeAchievement({ user: { ...profile, id }, achievementKey });

async function completed({ achievements }: TimedGuerdon, userId: string) {
  const { completed: all } = await achievements.listUserAchievements({ userId });
  return all.map(({ achievement, backdated }) => (backdated ? `${achievement?.key} backdated` : achievement?.key));
}

async function refused(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  return error === undefined ? 'applied' : `${Code[error.code]}: ${error.rawMessage}`;
}

describeOnBackends('an achievement completed by the app', (kind) => {
  it('64 calls at once for each of three users: one completion, one payment, one award of creation', async () => {
    const guerdon = await startTimed('2024-03-01T00:00Z', kind);
    const welcome = { key: 'welcome', type: 'user_creation', points: 7 };
    await guerdon.apply(economy([api('tour')], [welcome, onAchievement('tour', 100)]));
    const users = ['ada', 'bob', 'cleo'];
    const answers = await Promise.all(
      Array.from({ length: 192 }, (_, index) => complete(guerdon, users[index % 3] as string, 'tour')),
    );
    for (const [place, user] of users.entries()) {
      const own = answers.filter((_, index) => index % 3 === place);
      expect(new Set(own.map(({ completionId }) => completionId)).size).toBe(1);
      expect(own.filter(({ idempotentReplayed }) => !idempotentReplayed)).toHaveLength(1);
      for (const { points, completed: done } of own) {
        expect(points.gold).toMatchObject({ added: 107n, total: 107n });
        expect([done?.achievement?.key, text(done?.completedAt)]).toEqual(['tour', '2024-03-01T00:00:00.000Z']);
      }
      expect(await guerdon.balance(user, 'gold')).toBe(107);
      expect(await completed(guerdon, user)).toEqual(['tour']);
    }
    const { rows } = await guerdon.database.pool.query('select count(*)::int from entries');
    expect(rows).toEqual([{ count: 6 }]);
    await guerdon.finish();
  });
});

it('by a total that 64 events reach together, single and in lists: one of them completes it', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(
    economy([total('ten', 10), total('fifty', 50)], [onAchievement('ten', 1), onAchievement('fifty', 100)]),
  );
  const lesson = { metricKey: 'lessons', value: '1', user: { id: 'ada' } };
  const lists = Array.from({ length: 4 }, () => guerdon.events.sendEvents({ events: Array(8).fill(lesson) }));
  const single = await Promise.all(Array.from({ length: 32 }, () => guerdon.send('ada')));
  const inLists = (await Promise.all(lists)).flatMap(({ results }) =>
    results.flatMap(({ result }) => (result.case === 'event' ? [result.value] : [])),
  );
  const answers = [...single, ...inLists];
  expect(answers).toHaveLength(64);
  const keys = answers.flatMap(({ achievements }) => achievements.map(({ achievement }) => achievement?.key));
  expect(keys.sort()).toEqual(['fifty', 'ten']);
  expect(await guerdon.balance('ada', 'gold')).toBe(101);
  await guerdon.finish();
});

it('a repeat gives the id of the first completion, and the balance of now', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(economy([api('tour')], [onAchievement('tour', 100)]));
  const first = await complete(guerdon, 'ada', 'tour', { tz: 'Asia/Tokyo' });
  expect(first.idempotentReplayed).toBe(false);
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'gold', amount: 30n, idempotencyKey: 's' });
  guerdon.move(DAY);
  const again = await complete(guerdon, 'ada', 'tour', { name: 'Ada' });
  expect(again).toMatchObject({ completionId: first.completionId, idempotentReplayed: true });
  expect(text(again.completed?.completedAt)).toBe('2024-03-01T00:00:00.000Z');
  expect(again.points.gold).toMatchObject({ added: 100n, total: 70n });
  const { user } = await guerdon.users.getUser({ userId: 'ada' });
  expect([user?.tz, user?.name]).toEqual(['Asia/Tokyo', '']);
  await guerdon.finish();
});

it('by a total: once, by the event that reaches it, however the total moves afterwards', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(economy([total('ten', 10), total('half', 0.5)], [onAchievement('ten', 100)]));
  const sent = async (value: string, metricKey = 'lessons') => {
    const { points, achievements } = await guerdon.send('ada', { value, metricKey });
    return [Number(points.gold?.added ?? 0n), ...achievements.map(({ achievement }) => achievement?.key)];
  };
  expect(await sent('100', 'pages')).toEqual([0]);
  expect(await sent('9.999')).toEqual([0, 'half']);
  expect(await sent('-5')).toEqual([0]);
  expect(await sent('5.001')).toEqual([100, 'ten']);
  for (const value of ['-10', '10', '50']) expect(await sent(value)).toEqual([0]);
  expect(await completed(guerdon, 'ada')).toHaveLength(2);
  await guerdon.finish();
});

it('by a streak, and a trigger on it pays with boosts, up to the cap', async () => {
  const guerdon = await startTimed('2024-03-01T12:00Z');
  const streak = api('three', { type: 'streak', length: 3 });
  await guerdon.apply(
    economy([streak, api('tour')], [onAchievement('three', 7), onAchievement('tour', 7)], { maxPoints: 20 }),
  );
  const boosts = [{ name: 'double', multiplier: '2', start: '2024-03-01' }];
  await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts });
  await guerdon.send('ada');
  // The third of March comes before the second.
  guerdon.move(2 * DAY);
  expect((await guerdon.send('ada')).achievements).toEqual([]);
  const late = await guerdon.send('ada', { occurredAt: instant('2024-03-02T12:00Z') });
  expect(late.achievements.map(({ achievement }) => achievement?.key)).toEqual(['three']);
  expect(late.points.gold).toMatchObject({ added: 14n, total: 14n, awards: [{ boosts: [{ multiplier: '2' }] }] });
  const tour = await complete(guerdon, 'ada', 'tour');
  expect(tour.points.gold).toMatchObject({ added: 6n, withheld: 8n, total: 20n, awards: [{ capped: true }] });
  const { awards } = await guerdon.points.getUserPoints({ userId: 'ada', systemKey: 'gold' });
  expect(awards.map(({ amount, withheld, boosts: applied }) => [amount, withheld, applied.length])).toEqual([
    [6n, 8n, 1],
    [14n, 0n, 1],
  ]);
  await guerdon.finish();
});

it('what the user had before it could be completed is completed by the next event, and pays nothing', async () => {
  const guerdon = await startTimed('2024-03-01T12:00Z');
  const achievements = (status: string) => [
    total('ten', 10, { status }),
    total('pro', 10, { userAttributes: { plan: 'pro' } }),
    total('more', 30),
    api('two', { type: 'streak', length: 2, status }),
  ];
  const triggers = ['ten', 'pro', 'more', 'two'].map((key) => onAchievement(key, 100));
  await guerdon.apply(economy(achievements('inactive'), triggers));
  expect((await guerdon.send('ada', { value: '20' })).achievements).toEqual([]);
  guerdon.move(DAY);
  expect((await guerdon.send('ada')).achievements).toEqual([]);
  await guerdon.apply(economy(achievements('active'), triggers));
  expect(await completed(guerdon, 'ada')).toEqual([]);
  const next = await guerdon.send('ada', { value: '0.5' });
  expect(next.achievements.map(({ achievement, backdated }) => [achievement?.key, backdated])).toEqual([
    ['ten', true],
    ['two', true],
  ]);
  expect(next.points.gold).toBeUndefined();
  const { triggers: told, achievements: shown } = await guerdon.events.explainEvent({
    lookup: { case: 'eventId', value: next.eventId },
  });
  expect(told.map(({ triggerKey, whyNot }) => [triggerKey, whyNot])).toEqual([
    ['on_ten', WhyNot.BACKDATED],
    ['on_two', WhyNot.BACKDATED],
  ]);
  expect(shown.map(({ achievement, backdated }) => [achievement?.key, backdated])).toEqual([
    ['ten', true],
    ['two', true],
  ]);
  await guerdon.users.updateUser({ user: { id: 'ada', attributes: { plan: 'pro' } } });
  expect((await guerdon.send('ada')).achievements).toMatchObject([{ achievement: { key: 'pro' }, backdated: true }]);
  const last = await guerdon.send('ada', { value: '10' });
  expect(last.achievements).toMatchObject([{ achievement: { key: 'more' }, backdated: false }]);
  expect(last.points.gold?.added).toBe(100n);
  expect([...(await completed(guerdon, 'ada'))].sort()).toEqual([
    'more',
    'pro backdated',
    'ten backdated',
    'two backdated',
  ]);
  await guerdon.finish();
});

it('refusals are stored, change nothing, and leave the way free', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const pro = { userAttributes: { plan: 'pro' } };
  const fee = onAchievement('fee', -5, { onFloor: 'refuse' });
  await guerdon.apply(
    economy([api('off', { status: 'inactive' }), api('pro', pro), total('ten', 10), api('fee')], [fee]),
  );
  expect(await refused(complete(guerdon, 'ada', 'nothing'))).toMatch(/^NotFound/);
  for (const key of ['off', 'pro', 'ten', 'fee']) {
    expect(await refused(complete(guerdon, 'ada', key))).toMatch(/^FailedPrecondition/);
  }
  expect(await refused(guerdon.users.getUser({ userId: 'ada' }))).toMatch(/^NotFound/);
  const { rows } = await guerdon.database.pool.query('select kind, code from refusals order by created_at, id');
  expect(rows).toEqual([
    ...['off', 'pro', 'ten'].map(() => ({ kind: 'complete', code: 'ACHIEVEMENT_NOT_FOR_USER' })),
    { kind: 'complete', code: 'OUT_OF_POINTS' },
  ]);
  expect((await complete(guerdon, 'ada', 'pro', { attributes: { plan: 'pro' } })).idempotentReplayed).toBe(false);
  await guerdon.points.adjustPoints({ userId: 'ada', systemKey: 'gold', amount: 5n, reason: 'r', idempotencyKey: 'k' });
  expect((await complete(guerdon, 'ada', 'fee')).points.gold).toMatchObject({ added: -5n, total: 0n });
  expect((await completed(guerdon, 'ada')).sort()).toEqual(['fee', 'pro']);
  for (const bad of [
    { user: { id: 'ada', attributes: { nothing: 'x' } }, achievementKey: 'pro' },
    { achievementKey: 'pro' },
  ]) {
    expect(await refused(guerdon.achievements.completeAchievement(bad))).toMatch(/^InvalidArgument/);
  }
  await guerdon.finish();
});

it('lists tell of everybody and of one, page by page, and keep what is archived', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const keys = ['a', 'b', 'c', 'd', 'e'];
  await guerdon.apply(economy(keys.map((key) => api(key))));
  for (const [place, key] of keys.entries()) {
    if (place % 2 === 0) guerdon.move(1_000);
    for (const user of ['ada', 'bob', 'cleo'].slice(0, 3 - (place % 3))) await complete(guerdon, user, key);
  }
  await guerdon.users.createUser({ user: { id: 'idle' } });
  const { achievements } = guerdon;
  const counts: unknown[] = [];
  for (let pageToken = ''; ; ) {
    const page = await achievements.listAchievements({ withCounts: true, pageSize: 2, pageToken });
    expect(page.users).toBe(4n);
    counts.push(...page.achievements.map(({ achievement, completions }) => [achievement?.key, completions]));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  expect(counts).toEqual(keys.map((key, place) => [key, BigInt(3 - (place % 3))]));
  const plain = await achievements.listAchievements({});
  expect(plain.achievements.map(({ completions }) => completions)).toEqual(keys.map(() => undefined));
  const own: (string | undefined)[] = [];
  for (let pageToken = ''; ; ) {
    const page = await achievements.listUserAchievements({ userId: 'ada', pageSize: 2, pageToken });
    own.push(...page.completed.map(({ achievement }) => achievement?.key));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  expect(own).toHaveLength(5);
  expect(own[0]).toBe('e');
  expect([own.slice(1, 3).sort(), own.slice(3).sort()]).toEqual([
    ['c', 'd'],
    ['a', 'b'],
  ]);
  await guerdon.admin.archiveAchievements({ keys: ['a'] });
  expect((await completed(guerdon, 'ada')).sort()).toEqual(keys);
  expect((await achievements.listAchievements({})).achievements).toHaveLength(4);
  expect(await refused(complete(guerdon, 'ada', 'a'))).toMatch(/^NotFound/);
  await guerdon.finish();
});
