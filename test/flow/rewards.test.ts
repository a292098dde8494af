import { expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { HOUR, startTimed, type TimedGuerdon } from '../support/clock.ts';

const level = (points: number, rewards: Record<string, number> = {}) => ({
  key: `l${points}`,
  name: `Level ${points}`,
  points,
  rewards,
});
/** One lesson, one point. */
const LESSON = { key: 'lesson', metric: 'lessons', threshold: 1, points: 1 };

function system(key: string, levels: object[], more: object = {}): object {
  return { key, name: key, levels, ...more };
}

function economy(...systems: object[]): object {
  return { metrics: [{ key: 'lessons', name: 'Lessons' }], systems };
}

const adjust = ({ points }: TimedGuerdon, amount: bigint, idempotencyKey: string, systemKey = 'xp', userId = 'ada') =>
  points.adjustPoints({ userId, systemKey, amount, reason: 'r', idempotencyKey });

/** Kind and amount of each entry, the oldest first. */
async function entries({ points }: TimedGuerdon, systemKey: string, userId = 'ada') {
  const page = await points.listLedgerEntries({ userId, systemKey, pageSize: 500 });
  return page.entries.toReversed().map((entry) => `${NAMES[entry.kind]} ${entry.amount}`);
}
const NAMES = ['', 'award', 'spend', 'adjust', 'reward'];

describeOnBackends('rewards of levels', (kind) => {
  it('are given once a level to each of two users at once, in one answer', async () => {
    const guerdon = await startTimed('2024-03-01T00:00Z', kind);
    await guerdon.apply(economy(system('xp', [level(10, { coins: 5 })], { triggers: [LESSON] }), system('coins', [])));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => guerdon.send(index % 2 === 0 ? 'ada' : 'bob')),
    );
    expect(answers.filter(({ points }) => (points.coins?.rewards.length ?? 0) > 0)).toHaveLength(2);
    for (const user of ['ada', 'bob']) {
      expect([await guerdon.balance(user, 'xp'), await guerdon.balance(user, 'coins')]).toEqual([30, 5]);
      expect(await entries(guerdon, 'coins', user)).toEqual(['reward 5']);
    }
    await guerdon.finish();
  });
});

it('several levels at once give each its own, into other systems and their own, which reach levels themselves', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(
    economy(
      system('xp', [level(10, { coins: 5 }), level(20, { coins: 10, xp: 30 }), level(50, { gems: 1 })], {
        triggers: [LESSON],
      }),
      // A circle: coins give gems, gems give coins, and each level gives once.
      system('coins', [level(15, { gems: 2 }), level(100, { gems: 50 })]),
      system('gems', [level(2, { coins: 85, xp: 1 }), level(500, { xp: 1_000 })]),
    ),
  );
  await guerdon.send('ada', { value: '9' });
  const { eventId, points } = await guerdon.send('ada', { value: '16' });
  expect(points.xp).toMatchObject({ added: 16n + 31n, total: 56n, levelChanged: true, level: { key: 'l50' } });
  expect(points.coins).toMatchObject({ added: 100n, total: 100n, level: { key: 'l100' } });
  expect(points.gems).toMatchObject({ added: 53n, total: 53n, level: { key: 'l2' } });
  const told = Object.entries(points).flatMap(([key, { rewards }]) =>
    rewards.map(({ levelSystemKey, levelKey, amount }) => `${levelSystemKey}/${levelKey}: ${amount} ${key}`),
  );
  expect(told.sort()).toEqual([
    'coins/l100: 50 gems',
    'coins/l15: 2 gems',
    'gems/l2: 1 xp',
    'gems/l2: 85 coins',
    'xp/l10: 5 coins',
    'xp/l20: 10 coins',
    'xp/l20: 30 xp',
    'xp/l50: 1 gems',
  ]);
  const { rewards, event } = await guerdon.events.explainEvent({ lookup: { case: 'eventId', value: eventId } });
  for (const key of ['xp', 'coins', 'gems']) {
    expect(rewards[key]?.rewards).toEqual(points[key]?.rewards);
    expect(event?.points[key]).toEqual(points[key]);
    const entered = await entries(guerdon, key);
    expect(entered.filter((entry) => entry.startsWith('reward')).sort()).toEqual(
      points[key]?.rewards.map(({ amount }) => `reward ${amount}`).sort(),
    );
  }
  const { changes } = await guerdon.points.listLevelChanges({ userId: 'ada', systemKey: 'xp' });
  expect(changes.map(({ fromKey, toKey }) => [fromKey, toKey])).toEqual([['', 'l50']]);
  await guerdon.finish();
});

it('a level that is lost and reached again gives nothing again, by balance; by points earned none is lost', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const levels = (target: string) => [level(5, { [target]: 100 })];
  await guerdon.apply(
    economy(
      system('xp', levels('coins'), { triggers: [LESSON] }),
      system('ep', levels('coins'), { triggers: [LESSON], levelBasis: 'earned' }),
      system('coins', []),
    ),
  );
  const spend = (systemKey: string, amount: bigint) =>
    guerdon.points.spendPoints({ userId: 'ada', systemKey, amount, idempotencyKey: `${systemKey}${amount}` });
  await guerdon.send('ada', { value: '4' });
  for (const key of ['xp', 'ep']) await spend(key, 3n);
  // 1 + 1: by balance it is far from the level, by points earned it is there.
  const first = await guerdon.send('ada');
  expect(first.points.coins).toMatchObject({ added: 100n, rewards: [{ levelSystemKey: 'ep' }] });
  expect((await guerdon.send('ada', { value: '10' })).points.coins).toMatchObject({
    rewards: [{ levelSystemKey: 'xp' }],
  });
  expect((await spend('xp', 10n)).levelChanged).toBe(true);
  const again = await guerdon.send('ada', { value: '10' });
  expect(again.points.xp).toMatchObject({ levelChanged: true, level: { key: 'l5' }, rewards: [] });
  expect(again.points.coins).toBeUndefined();
  expect(await guerdon.balance('ada', 'coins')).toBe(200);
  await guerdon.finish();
});

it('are given whatever it was that reached the level, but for what takes points', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const reach = (key: string, triggers: object[]) => system(key, [level(10, { coins: 1 })], { triggers });
  await guerdon.apply({
    ...economy(
      reach('event', [{ ...LESSON, points: 10 }]),
      reach('adjustment', []),
      reach('tick', [{ key: 'hourly', type: 'time', every: '1h', points: 5 }]),
      reach('creation', [{ key: 'welcome', type: 'user_creation', points: 10 }]),
      reach('achievement', [{ key: 'done', type: 'achievement', achievement: 'tour', points: 10 }]),
      reach('streak', [{ key: 'day', type: 'streak', length: 1, points: 10 }]),
      system('coins', []),
    ),
    streak: { frequency: 'daily' },
    achievements: [{ key: 'tour', name: 'Tour', type: 'api' }],
  });
  let coins = 0;
  const more = async (count: number) => {
    coins += count;
    expect(await guerdon.balance('ada', 'coins')).toBe(coins);
    expect(await entries(guerdon, 'coins')).toEqual(Array.from({ length: coins }, () => 'reward 1'));
  };
  await guerdon.users.createUser({ user: { id: 'ada' } });
  await more(1);
  await guerdon.send('ada');
  await more(2);
  const granted = await adjust(guerdon, 10n, 'a', 'adjustment');
  expect([granted.total, granted.levelChanged, granted.level?.key]).toEqual([10n, true, 'l10']);
  await more(1);
  await guerdon.achievements.completeAchievement({ user: { id: 'ada' }, achievementKey: 'tour' });
  await more(1);
  guerdon.move(3 * HOUR);
  await guerdon.send('ada', { value: '-1' });
  await more(1);
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'tick', amount: 15n, idempotencyKey: 's' });
  await adjust(guerdon, -1n, 'b', 'tick').catch(() => {});
  await more(0);
  await guerdon.finish();
});

it('that ticks have earned are in what a read shows before anything settles them', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const hourly = { key: 'hourly', type: 'time', every: '1h', points: 5 };
  await guerdon.apply(
    economy(
      system('xp', [level(10, { xp: 100, coins: 7 }), level(110, { coins: 1 })], { triggers: [hourly] }),
      system('coins', [level(8, { gems: 3 })], { triggers: [hourly] }),
      system('gems', []),
    ),
  );
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(2 * HOUR);
  const shown = async () => {
    const { points } = await guerdon.points.listUserPoints({ userId: 'ada' });
    return points.map(({ key, total, earned, level: on }) => [key, total, earned, on?.key]);
  };
  const before = await shown();
  expect(before).toEqual([
    ['coins', 18n, 18n, 'l8'],
    ['gems', 3n, 3n, undefined],
    ['xp', 110n, 110n, 'l110'],
  ]);
  await guerdon.send('ada', { value: '0' });
  expect(await shown()).toEqual(before);
  await guerdon.finish();
});

it('stop at the cap, and are given for good when nothing of them fits', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const levels = [level(10, { coins: 8 }), level(20, { coins: 8 }), level(30, { coins: 8 })];
  await guerdon.apply(economy(system('xp', levels, { triggers: [LESSON] }), system('coins', [], { maxPoints: 10 })));
  await guerdon.send('ada', { value: '10' });
  const second = await guerdon.send('ada', { value: '10' });
  expect(second.points.coins).toMatchObject({
    added: 2n,
    withheld: 6n,
    rewards: [{ amount: 2n, withheld: 6n, balanceAfter: 10n }],
  });
  const third = await guerdon.send('ada', { value: '10' });
  expect(third.points.coins).toMatchObject({ added: 0n, withheld: 8n, rewards: [{ amount: 0n, withheld: 8n }] });
  expect(third.points.coins?.rewards[0]?.version).toBeUndefined();
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'coins', amount: 10n, idempotencyKey: 'c' });
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'xp', amount: 10n, idempotencyKey: 'x' });
  const fourth = await guerdon.send('ada', { value: '10' });
  expect(fourth.points.xp).toMatchObject({ levelChanged: true, total: 30n });
  expect(fourth.points.coins).toBeUndefined();
  expect(await entries(guerdon, 'coins')).toEqual(['reward 8', 'reward 2', 'spend -10']);
  await guerdon.finish();
});

it('that are added, or changed, give nothing to who is on the level already', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const coins = system('coins', []);
  const xp = (levels: object[]) => economy(system('xp', levels, { triggers: [LESSON] }), coins);
  await guerdon.apply(xp([level(5), level(10)]));
  await guerdon.send('ada', { value: '7' });
  await guerdon.apply(xp([level(5, { coins: 1 }), level(10)]));
  await guerdon.send('ada', { value: '2' });
  expect(await guerdon.balance('ada', 'coins')).toBe(0);
  await guerdon.apply(xp([level(5, { coins: 1 }), level(10, { coins: 20 })]));
  await guerdon.send('ada', { value: '2' });
  expect(await guerdon.balance('ada', 'coins')).toBe(20);
  await guerdon.apply(xp([level(5, { coins: 1 }), level(10, { coins: 500 })]));
  await guerdon.send('ada', { value: '2' });
  await guerdon.points.spendPoints({ userId: 'ada', systemKey: 'xp', amount: 9n, idempotencyKey: 's' });
  await guerdon.send('ada', { value: '9' });
  // The lower level was never rewarded, and was reached again; the upper one was.
  expect(await guerdon.balance('ada', 'coins')).toBe(21);
  await guerdon.finish();
});
