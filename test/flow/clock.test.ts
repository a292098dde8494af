import { expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { DAY, HOUR, instant, ledger, startTimed, type TimedGuerdon, text, written } from '../support/clock.ts';

const METRICS = { metrics: [{ key: 'lessons', name: 'Lessons' }] };

/** One points system, `gold`, with these triggers. */
function gold(triggers: object[], more: object = {}): object {
  return { ...METRICS, systems: [{ key: 'gold', name: 'Gold', triggers, ...more }] };
}

const hourly = (more: object = {}) => ({ key: 'hourly', type: 'time', every: '1h', points: 1, ...more });
const ENERGY = gold([hourly({ runs: 'below_cap' })], { maxPoints: 5 });

/** What was due when the event came, as ExplainEvent tells. */
async function ticksBefore({ events }: TimedGuerdon, eventId: string) {
  const { ticks } = await events.explainEvent({ lookup: { case: 'eventId', value: eventId } });
  return ticks.map(({ triggerKey, ticks: count, first, award }) => ({
    [triggerKey]: Number(count),
    first: text(first),
    last: text(award?.occurredAt),
    amount: Number(award?.amount),
  }));
}

async function outlook({ points }: TimedGuerdon, userId: string) {
  const { total, nextAt, fullAt } = await points.getUserPoints({ userId, systemKey: 'gold' });
  return { total: Number(total), nextAt: text(nextAt), fullAt: text(fullAt) };
}

const spend = ({ points }: TimedGuerdon, userId: string, amount: bigint, idempotencyKey = `${userId}${amount}`) =>
  points.spendPoints({ userId, systemKey: 'gold', amount, idempotencyKey });

describeOnBackends('time triggers', (kind) => {
  it('three days of downtime are caught up exactly, by a read, the next event and the next spend', async () => {
    const guerdon = await startTimed('2024-02-01T00:00Z', kind);
    await guerdon.apply(gold([hourly()]));
    guerdon.move('2024-03-01T10:20Z');
    for (const id of ['eve', 'sam']) await guerdon.users.createUser({ user: { id } });
    await guerdon.restart('2024-03-04T10:20Z');
    for (const id of ['eve', 'sam']) expect(await guerdon.balance(id, 'gold')).toBe(72);
    expect(await ledger(guerdon, 'eve', 'gold')).toEqual([]);
    const { eventId } = await guerdon.send('eve');
    expect(await ticksBefore(guerdon, eventId)).toEqual([
      { hourly: 72, first: '2024-03-01T11:20:00.000Z', last: '2024-03-04T10:20:00.000Z', amount: 72 },
    ]);
    expect((await spend(guerdon, 'sam', 70n)).total).toBe(2n);
    expect(await ledger(guerdon, 'eve', 'gold')).toEqual([['AWARD', 72, '2024-03-04T10:20:00.000Z']]);
    const { awards, total, earned } = await guerdon.points.getUserPoints({ userId: 'sam', systemKey: 'gold' });
    expect(awards).toHaveLength(1);
    expect(awards[0]).toMatchObject({ fires: 72n, amount: 72n, balanceAfter: 72n, version: 1n, eventId: '' });
    expect(text(awards[0]?.occurredAt)).toBe('2024-03-04T10:20:00.000Z');
    expect([total, earned]).toEqual([2n, 72n]);
    await guerdon.finish();
  });

  it('64 events at once for a user with ticks due pay each tick once', async () => {
    const guerdon = await startTimed('2024-03-01T00:00Z', kind);
    await guerdon.apply(gold([hourly(), { key: 'lesson', metric: 'lessons', threshold: 1, points: 100 }]));
    await guerdon.users.createUser({ user: { id: 'ada' } });
    guerdon.move(50 * HOUR);
    const answers = await Promise.all(Array.from({ length: 64 }, () => guerdon.send('ada')));
    expect(answers.reduce((sum, { points }) => sum + Number(points.gold?.added), 0)).toBe(6_400);
    expect(await guerdon.balance('ada', 'gold')).toBe(6_450);
    const entries = await ledger(guerdon, 'ada', 'gold');
    expect(entries.filter(([, amount]) => amount !== 100)).toEqual([['AWARD', 50, '2024-03-03T02:00:00.000Z']]);
    await guerdon.finish();
  });
});

it('five dormant years are one entry for each run of ticks that paid the same', async () => {
  const guerdon = await startTimed('2020-01-01T00:00Z');
  await guerdon.apply(gold([hourly({ key: 'daily', every: '1d', points: 3 })]));
  const week = { name: 'week', multiplier: '2', start: '2022-06-06', end: '2022-06-12' };
  await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts: [week] });
  for (const id of ['ada', 'bob']) await guerdon.users.createUser({ user: { id } });
  guerdon.move('2022-06-08T00:00Z');
  await spend(guerdon, 'bob', 1n);
  guerdon.move('2025-01-01T00:00Z');
  const { eventId } = await guerdon.send('ada');
  const daily = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / DAY + 1;
  const runs = [
    ['2020-01-02', '2022-06-05', 3],
    ['2022-06-06', '2022-06-12', 6],
    ['2022-06-13', '2025-01-01', 3],
  ] as const;
  expect(await ticksBefore(guerdon, eventId)).toEqual(
    runs.map(([from, to, each]) => ({
      daily: daily(from, to),
      first: `${from}T00:00:00.000Z`,
      last: `${to}T00:00:00.000Z`,
      amount: daily(from, to) * each,
    })),
  );
  expect(await ledger(guerdon, 'ada', 'gold')).toHaveLength(3);
  expect(await guerdon.balance('ada', 'gold')).toBe(1_827 * 3 + 7 * 3);
  const { awards } = await guerdon.points.getUserPoints({ userId: 'ada', systemKey: 'gold' });
  expect(awards.map(({ boosts }) => boosts.map(({ multiplier }) => multiplier))).toEqual([[], ['2'], []]);
  expect(await guerdon.balance('bob', 'gold')).toBe(1_827 * 3 + 7 * 3 - 1);
  await guerdon.finish();
});

it('energy: full at 12:59, a spend at 12:59:30, and the next tick an interval after the spend', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(ENERGY);
  guerdon.move('2024-03-01T07:59Z');
  await guerdon.users.createUser({ user: { id: 'ada' } });
  expect(await outlook(guerdon, 'ada')).toEqual({
    total: 0,
    nextAt: '2024-03-01T08:59:00.000Z',
    fullAt: '2024-03-01T12:59:00.000Z',
  });
  guerdon.move('2024-03-01T12:58:59.999Z');
  expect((await outlook(guerdon, 'ada')).total).toBe(4);
  guerdon.move('2024-03-01T12:59Z');
  expect(await outlook(guerdon, 'ada')).toEqual({ total: 5, nextAt: undefined, fullAt: undefined });
  guerdon.move('2024-03-01T12:59:30Z');
  expect((await spend(guerdon, 'ada', 1n)).total).toBe(4n);
  const next = '2024-03-01T13:59:30.000Z';
  expect(await outlook(guerdon, 'ada')).toEqual({ total: 4, nextAt: next, fullAt: next });
  guerdon.move('2024-03-01T13:59:29.999Z');
  await spend(guerdon, 'ada', 2n);
  // The clock runs on: only the first spend from a full account has set it going.
  expect(await outlook(guerdon, 'ada')).toEqual({ total: 2, nextAt: next, fullAt: '2024-03-01T15:59:30.000Z' });
  guerdon.move(next);
  expect((await outlook(guerdon, 'ada')).total).toBe(3);
  guerdon.move('2024-03-01T23:00Z');
  await guerdon.send('ada');
  expect(await ledger(guerdon, 'ada', 'gold')).toEqual([
    ['AWARD', 5, '2024-03-01T12:59:00.000Z'],
    ['SPEND', -1, '2024-03-01T12:59:30.000Z'],
    ['SPEND', -2, '2024-03-01T13:59:29.999Z'],
    ['AWARD', 3, '2024-03-01T15:59:30.000Z'],
  ]);
  await guerdon.finish();
});

it('what nextAt and fullAt say is what happens', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly({ runs: 'below_cap', points: 2, every: '3h' })], { maxPoints: 11 }));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  const { boosts } = guerdon;
  const window = { startTime: instant('2024-03-01T20:00Z'), endTime: instant('2024-03-02T04:00Z') };
  await boosts.createBoosts({
    systemKey: 'gold',
    boosts: [{ userId: 'ada', name: 'b', multiplier: '1.5', ...window }],
  });
  for (const taken of [0n, 3n, 9n, 11n]) {
    guerdon.move(12_345_678);
    if (taken > 0n) await spend(guerdon, 'ada', taken);
    for (;;) {
      const { total, nextAt, fullAt } = await outlook(guerdon, 'ada');
      expect(nextAt === undefined).toBe(total === 11);
      if (nextAt === undefined) break;
      guerdon.move(Date.parse(nextAt) - 1 - guerdon.running.context.now());
      expect(await outlook(guerdon, 'ada')).toEqual({ total, nextAt, fullAt });
      guerdon.move(1);
      const then = await outlook(guerdon, 'ada');
      expect(then.total).toBeGreaterThan(total);
      expect(then.total === 11).toBe(nextAt === fullAt);
      if (then.total < 11) expect(then.fullAt).toBe(fullAt);
    }
  }
  await guerdon.finish();
});

it('a read shows what is due and writes nothing', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly()], { levels: [{ key: 'rich', name: 'Rich', points: 40 }] }));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(41 * HOUR);
  const before = await written(guerdon.database);
  const { points } = guerdon;
  const ada = { userId: 'ada', systemKey: 'gold' };
  expect(await points.getUserPoints(ada)).toMatchObject({
    total: 41n,
    earned: 41n,
    level: { key: 'rich' },
    awards: [],
  });
  expect((await points.listUserPoints({ userId: 'ada' })).points).toMatchObject([{ key: 'gold', total: 41n }]);
  expect((await points.listLedgerEntries(ada)).entries).toEqual([]);
  expect((await points.getUserBalanceAt({ ...ada, at: instant('2024-03-02T17:00Z') })).total).toBe(0n);
  expect((await points.listLevelChanges(ada)).changes).toEqual([]);
  expect(await written(guerdon.database)).toEqual(before);
  await guerdon.finish();
});

it('the grid begins with the user or with the activation, whichever was later', async () => {
  const guerdon = await startTimed('2024-03-01T00:10Z');
  await guerdon.apply(gold([hourly({ status: 'inactive' })]));
  await guerdon.users.createUser({ user: { id: 'old' } });
  guerdon.move('2024-03-01T05:30Z');
  await guerdon.apply(gold([hourly()]));
  guerdon.move('2024-03-01T06:00Z');
  await guerdon.users.createUser({ user: { id: 'young' } });
  expect(await outlook(guerdon, 'old')).toMatchObject({ total: 0, nextAt: '2024-03-01T06:30:00.000Z' });
  expect(await outlook(guerdon, 'young')).toMatchObject({ total: 0, nextAt: '2024-03-01T07:00:00.000Z' });
  guerdon.move('2024-03-01T08:30Z');
  for (const user of ['old', 'young']) await guerdon.send(user);
  expect(await ledger(guerdon, 'old', 'gold')).toEqual([['AWARD', 3, '2024-03-01T08:30:00.000Z']]);
  expect(await ledger(guerdon, 'young', 'gold')).toEqual([['AWARD', 2, '2024-03-01T08:00:00.000Z']]);
  await guerdon.finish();
});

it.each([
  ['clamp', -10],
  ['refuse', -8],
  ['allow', -24],
])('a decay whose onFloor is %s', async (onFloor, taken) => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly({ points: -4, onFloor })]));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  const grant = { userId: 'ada', systemKey: 'gold', amount: 10n, reason: 'r', idempotencyKey: 'k' };
  await guerdon.points.adjustPoints(grant);
  guerdon.move(6 * HOUR);
  expect(await outlook(guerdon, 'ada')).toMatchObject({ total: 10 + taken });
  await guerdon.send('ada');
  expect((await ledger(guerdon, 'ada', 'gold')).map(([, amount]) => amount)).toEqual([10, taken]);
  expect(await guerdon.balance('ada', 'gold')).toBe(10 + taken);
  await guerdon.finish();
});

it('two triggers of one system tick in the order of time, and meet cap and floor so', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const triggers = [
    hourly({ key: 'gain', points: 3, every: '2h' }),
    hourly({ key: 'decay', points: -1, every: '3h', onFloor: 'clamp' }),
  ];
  await guerdon.apply(gold(triggers, { maxPoints: 10 }));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  let must = 0;
  const steps: [string, number][] = [];
  for (let hour = 1; hour <= 100; hour += 1) {
    const before = must;
    if (hour % 2 === 0) must = Math.min(10, must + 3);
    if (must !== before) steps.push(['AWARD', must - before]);
    const gained = must;
    if (hour % 3 === 0) must = Math.max(0, must - 1);
    if (must !== gained) steps.push(['AWARD', must - gained]);
    guerdon.move(HOUR);
    if (hour % 10 === 7) expect(await guerdon.balance('ada', 'gold')).toBe(must);
  }
  await guerdon.send('ada');
  expect(await guerdon.balance('ada', 'gold')).toBe(must);
  // Ticks of one trigger with none of the other between them are one entry.
  const joined = steps.reduce<[string, number][]>((list, [kind, amount]) => {
    const last = list.at(-1);
    if (last !== undefined && Math.sign(last[1]) === Math.sign(amount)) last[1] += amount;
    else list.push([kind, amount]);
    return list;
  }, []);
  expect((await ledger(guerdon, 'ada', 'gold')).map(([kind, amount]) => [kind, amount])).toEqual(joined);
  await guerdon.finish();
});

it('each tick is paid by the program in force at its instant, whenever it is settled', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly()]));
  for (const id of ['late', 'often']) await guerdon.users.createUser({ user: { id } });
  const edits: [hours: number, economy: object, paid: number][] = [
    [4.5, gold([hourly({ points: 10 })]), 4],
    [3, gold([hourly({ points: 10, every: '2h' })]), 30],
    [5, gold([hourly({ points: 10, every: '2h', status: 'inactive' })]), 20],
    [10, gold([hourly({ points: 10, every: '2h' })]), 0],
    [3, gold([]), 10],
    [50, gold([hourly({ points: 7 })]), 0],
    [2.5, gold([hourly({ points: 7 })], { maxPoints: 100 }), 14],
    [20, gold([hourly({ points: 7 })], { maxPoints: 110 }), 22],
  ];
  let must = 0;
  for (const [hours, economy, paid] of edits) {
    guerdon.move(hours * HOUR);
    must += paid;
    expect([await guerdon.balance('late', 'gold'), hours]).toEqual([must, hours]);
    await guerdon.send('often');
    await guerdon.apply(economy);
    expect(await guerdon.balance('often', 'gold')).toBe(must);
  }
  guerdon.move(3 * HOUR);
  for (const user of ['late', 'often']) {
    await guerdon.send(user);
    expect(await guerdon.balance(user, 'gold')).toBe(110);
  }
  const amounts = (await ledger(guerdon, 'late', 'gold')).map(([, amount]) => amount);
  expect(amounts).toEqual([4, 30, 20, 10, 14, 22, 10]);
  await guerdon.finish();
});

it('a points system that leaves and comes back pays what was due before it left, and nothing for the time between', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const silver = { key: 'silver', name: 'Silver', triggers: [hourly({ key: 'silver' })] };
  const goldOnly = gold([hourly()]) as { systems: object[] };
  const both = { ...goldOnly, systems: [...goldOnly.systems, silver] };
  await guerdon.apply(both);
  for (const id of ['ada', 'idle']) await guerdon.users.createUser({ user: { id } });
  guerdon.move(2 * HOUR);
  await guerdon.send('ada');
  guerdon.move(3.5 * HOUR);
  await guerdon.send('ada');
  await guerdon.apply(goldOnly);
  guerdon.move(HOUR);
  await guerdon.apply(gold([hourly()], { maxPoints: 1_000 }));
  guerdon.move(2.5 * HOUR);
  await guerdon.send('ada');
  guerdon.move(HOUR / 2);
  await guerdon.apply(both);
  guerdon.move(HOUR / 2);
  await guerdon.send('ada');
  guerdon.move(HOUR);
  for (const user of ['ada', 'idle']) {
    await guerdon.send(user);
    expect(await guerdon.balance(user, 'silver')).toBe(6);
    expect(await guerdon.balance(user, 'gold')).toBe(11);
  }
  await guerdon.finish();
});

it('filters on the user are those of the time: who changes is settled by what he was', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const pro = hourly({ key: 'pro', points: 10, userAttributes: { plan: 'pro' } });
  await guerdon.apply({ ...gold([hourly(), pro]), userAttributes: [{ key: 'plan', name: 'Plan' }] });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(3 * HOUR);
  await guerdon.users.updateUser({ user: { id: 'ada', attributes: { plan: 'pro' } } });
  guerdon.move(2 * HOUR);
  await guerdon.send('ada', { profile: { attributes: { plan: 'free' } } });
  guerdon.move(4 * HOUR);
  await guerdon.users.identifyUser({ user: { id: 'ada', attributes: { plan: 'pro' } } });
  guerdon.move(HOUR);
  expect(await guerdon.balance('ada', 'gold')).toBe(10 + 2 * 10 + 10);
  await guerdon.send('ada');
  expect(await guerdon.balance('ada', 'gold')).toBe(40);
  await guerdon.finish();
});

it("a user's own boost counts for ticks from when it was made until it was archived", async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly()]));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(2.5 * HOUR);
  const boost = { userId: 'ada', name: 'b', multiplier: '3', startTime: instant('2024-02-01T00:00Z') };
  const { created } = await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts: [boost] });
  guerdon.move(4 * HOUR);
  await guerdon.boosts.deleteBoosts({ ids: created.map(({ id }) => id) });
  guerdon.move(4 * HOUR);
  expect(await guerdon.balance('ada', 'gold')).toBe(2 + 4 * 3 + 4);
  await guerdon.send('ada');
  expect((await ledger(guerdon, 'ada', 'gold')).map(([, amount]) => amount)).toEqual([2, 12, 4]);
  guerdon.move(HOUR);
  await guerdon.send('ada');
  expect(await guerdon.balance('ada', 'gold')).toBe(19);
  await guerdon.finish();
});

it("days of a boost are the user's, also when the zone changes between ticks", async () => {
  const guerdon = await startTimed('2024-06-01T00:00Z');
  await guerdon.apply(gold([hourly()]));
  const users = { tokyo: 'Asia/Tokyo', mover: 'Asia/Tokyo', la: 'America/Los_Angeles' };
  for (const [id, tz] of Object.entries(users)) await guerdon.users.createUser({ user: { id, tz } });
  const day = { name: 'day', multiplier: '2', start: '2024-06-10', end: '2024-06-10' };
  await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts: [day] });
  // In Tokyo it is 02:00 of the 11th: the day is over. In Los Angeles it is 10:00 of the 10th.
  guerdon.move('2024-06-10T17:00Z');
  await guerdon.users.updateUser({ user: { id: 'mover', tz: 'America/Los_Angeles' } });
  guerdon.move('2024-06-14T00:00Z');
  const hours = 13 * 24;
  for (const user of Object.keys(users)) {
    expect([user, await guerdon.balance(user, 'gold')]).toEqual([user, hours + 24]);
    await guerdon.send(user);
  }
  expect((await ledger(guerdon, 'tokyo', 'gold'))[1]).toEqual(['AWARD', 48, '2024-06-10T14:00:00.000Z']);
  expect((await ledger(guerdon, 'la', 'gold'))[1]).toEqual(['AWARD', 48, '2024-06-11T06:00:00.000Z']);
  expect((await ledger(guerdon, 'mover', 'gold')).map(([, amount]) => amount)).toContain(48);
  await guerdon.finish();
});

it('ticks before a refused spend are posted, and the spend is judged after them', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(gold([hourly()]));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(5 * HOUR);
  await expect(spend(guerdon, 'ada', 6n)).rejects.toThrow(/OUT_OF_POINTS|5/);
  expect(await ledger(guerdon, 'ada', 'gold')).toEqual([['AWARD', 5, '2024-03-01T05:00:00.000Z']]);
  expect((await spend(guerdon, 'ada', 5n)).total).toBe(0n);
  await guerdon.finish();
});

it('ticks change levels, as the level changes and every answer say', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  const levels = [3, 10].map((points) => ({ key: `l${points}`, name: `Level ${points}`, points }));
  await guerdon.apply(gold([hourly()], { levels }));
  await guerdon.users.createUser({ user: { id: 'ada' } });
  guerdon.move(12 * HOUR);
  const ada = { userId: 'ada', systemKey: 'gold' };
  expect((await guerdon.points.getUserPoints(ada)).level?.key).toBe('l10');
  const { points } = await guerdon.send('ada');
  expect(points.gold).toBeUndefined();
  const { changes } = await guerdon.points.listLevelChanges(ada);
  expect(changes.map(({ fromKey, toKey }) => [fromKey, toKey])).toEqual([['', 'l10']]);
  const answer = await spend(guerdon, 'ada', 10n);
  expect([answer.total, answer.levelChanged, answer.level]).toEqual([2n, true, undefined]);
  await guerdon.finish();
});
