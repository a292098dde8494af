import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Aggregation, EntryKind } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { LevelBasis } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

let keys = 0;
const adjust = (userId: string, amount: bigint, systemKey = 'xp') => {
  keys += 1;
  return guerdon.points.adjustPoints({ userId, systemKey, amount, reason: 'test', idempotencyKey: `k${keys}` });
};
const arrive = (id: string, more: object = {}) => guerdon.users.identifyUser({ user: { id, ...more } });
const lesson = (id: string, at?: string, value = '1') =>
  guerdon.events.sendEvent({
    metricKey: 'lessons',
    user: { id },
    value,
    ...(at !== undefined && { occurredAt: timestampFromMs(Date.parse(at)) }),
  });
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );

it('all points systems of a user at once, also those without points', async () => {
  await lesson('all');
  const { points } = await guerdon.points.listUserPoints({ userId: 'all', awards: 5 });
  expect(points.map(({ key, total, awards }) => [key, total, awards.length])).toEqual([
    ['coins', 0n, 0],
    ['energy', 1n, 1],
    ['xp', 10n, 1],
  ]);
  expect(points[2]).toEqual(await guerdon.points.getUserPoints({ userId: 'all', systemKey: 'xp', awards: 5 }));
});

it('an event answers the next level and what is missing to it, a repeat as of now', async () => {
  const event = { metricKey: 'lessons', user: { id: 'next' }, value: '3', idempotencyKey: 'k' };
  const xp = async () => (await guerdon.events.sendEvent(event)).points.xp;
  expect(await xp()).toMatchObject({
    level: { key: 'novice' },
    nextLevel: { key: 'apprentice' },
    pointsToNextLevel: 70n,
  });
  await adjust('next', 100n);
  expect(await xp()).toMatchObject({
    level: { key: 'apprentice' },
    nextLevel: { key: 'adept' },
    pointsToNextLevel: 370n,
  });
});

it('the ledger by kind and by time', async () => {
  await lesson('ledger');
  await adjust('ledger', 5n);
  await guerdon.points.spendPoints({ userId: 'ledger', systemKey: 'xp', amount: 3n, idempotencyKey: 's' });
  await lesson('ledger');
  const ask = { userId: 'ledger', systemKey: 'xp' };
  const list = async (more: object) => (await guerdon.points.listLedgerEntries({ ...ask, ...more })).entries;
  const versions = async (more: object) => (await list(more)).map(({ version }) => Number(version));
  expect(await versions({ kinds: [EntryKind.AWARD] })).toEqual([4, 1]);
  expect(await versions({ kinds: [EntryKind.SPEND, EntryKind.ADJUST] })).toEqual([3, 2]);
  const all = await list({});
  const at = all[1]?.createdAt;
  const when = (entry: (typeof all)[number]) => Number(entry.createdAt?.seconds) * 1e9 + Number(entry.createdAt?.nanos);
  const third = when(all[1] as (typeof all)[number]);
  const those = (keep: (ns: number) => boolean) =>
    all.filter((entry) => keep(when(entry))).map(({ version }) => Number(version));
  expect(await versions({ since: at })).toEqual(those((ns) => ns >= third));
  expect(await versions({ until: at })).toEqual(those((ns) => ns < third));
  expect(await versions({ since: at })).toContain(4);
  const { nextPageToken: pageToken } = await guerdon.points.listLedgerEntries({ ...ask, pageSize: 1 });
  expect(await codeOf(list({ pageToken, kinds: [EntryKind.AWARD] }))).toBe(Code.InvalidArgument);
  expect(await codeOf(list({ kinds: [0] }))).toBe(Code.InvalidArgument);
});

it('a balance as it was at an instant', async () => {
  await arrive('then');
  const entries = [];
  for (const amount of [5n, 7n, -2n]) entries.push((await adjust('then', amount)).entry);
  const at = (ms: number) =>
    guerdon.points.getUserBalanceAt({ userId: 'then', systemKey: 'xp', at: timestampFromMs(ms) });
  const [first, , last] = entries.map(
    (entry) => Number(entry?.createdAt?.seconds) * 1e3 + Number(entry?.createdAt?.nanos) / 1e6,
  );
  expect(await at((first as number) - 1)).toMatchObject({ total: 0n, version: 0n });
  expect(await at(last as number)).toMatchObject({ total: 10n, version: 3n });
  expect(await at(Date.now() + 60_000)).toMatchObject({ total: 10n, version: 3n });
  expect(await codeOf(guerdon.points.getUserBalanceAt({ userId: 'then', systemKey: 'xp' }))).toBe(Code.InvalidArgument);
});

describe('the points of a user over time', () => {
  const ask = (more: object) =>
    guerdon.points.getUserPointsEventSummary({
      userId: 'berliner',
      systemKey: 'xp',
      aggregation: Aggregation.DAILY,
      startDate: '2024-03-30',
      endDate: '2024-04-01',
      ...more,
    });
  const rows = async (more: object = {}) =>
    (await ask(more)).periods.map(({ date, total, change }) => [date, Number(total), Number(change)]);
  beforeAll(async () => {
    await arrive('berliner', { tz: 'Europe/Berlin' });
    for (const at of [
      '2024-03-29T12:00Z',
      '2024-03-30T22:59Z',
      '2024-03-30T23:00Z',
      '2024-03-31T21:59Z',
      '2024-03-31T22:00Z',
    ]) {
      await lesson('berliner', at);
    }
  });

  it('is told day by day in the user’s zone, across a change of clocks', async () => {
    expect(await rows()).toEqual([
      ['2024-03-30', 20, 10],
      ['2024-03-31', 40, 20],
      ['2024-04-01', 50, 10],
    ]);
  });

  it('or in another zone', async () => {
    expect(await rows({ tz: 'UTC' })).toEqual([
      ['2024-03-30', 30, 20],
      ['2024-03-31', 50, 20],
      ['2024-04-01', 50, 0],
    ]);
  });

  it('by whole weeks and months, also where nothing changed', async () => {
    expect(await rows({ aggregation: Aggregation.WEEKLY, startDate: '2024-03-20' })).toEqual([
      ['2024-03-18', 0, 0],
      ['2024-03-25', 40, 40],
      ['2024-04-01', 50, 10],
    ]);
    expect(await rows({ aggregation: Aggregation.MONTHLY, startDate: '2024-02-29' })).toEqual([
      ['2024-02-01', 0, 0],
      ['2024-03-01', 40, 40],
      ['2024-04-01', 50, 10],
    ]);
  });

  it.each([
    [{ endDate: '2024-03-29' }, 'end_date'],
    [{ startDate: '2024-02-30' }, 'start_date'],
    [{ endDate: '2025-06-01' }, 'end_date'],
    [{ tz: 'Mars/Olympus' }, 'tz'],
    [{ aggregation: 0 }, 'aggregation'],
  ])('is refused for %j', async (more, field) => {
    const error = await ask(more).then(() => undefined, ConnectError.from);
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining(field) });
  });
});

describe('of all users', () => {
  beforeAll(async () => {
    const { admin } = guerdon;
    await admin.createPointsSystems({ systems: [{ key: 'gems', name: 'Gems', noFloor: true }] });
    const levels = [0n, 10n, 10n, 500n].map((points, index) => ({ key: `g${index}`, name: `G${index}`, points }));
    await admin.createLevels({ systemKey: 'gems', levels });
    const gems = { none: 0n, one: 1n, hundred: 100n, more: 101n, most: 537n, less: -5n };
    for (const [index, [id, amount]] of Object.entries(gems).entries()) {
      await arrive(id, { attributes: { plan: index % 2 === 0 ? 'free' : 'pro' } });
      if (amount !== 0n) await adjust(id, amount, 'gems');
    }
  });

  it('how many have how many points, in ten ranges up to a power of ten', async () => {
    const { ranges, usersBelowZero } = await guerdon.points.getPointsSummary({ systemKey: 'gems' });
    const { rows } = await guerdon.database.pool.query('select count(*)::int as users from users');
    expect(ranges.map(({ from, to }) => [Number(from), Number(to)])).toEqual([
      [0, 0],
      ...Array.from({ length: 10 }, (_, index) => [index * 100 + 1, index * 100 + 100]),
    ]);
    const counted = ranges.map(({ users }) => Number(users));
    expect(counted).toEqual([rows[0].users - 5, 2, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(usersBelowZero).toBe(1n);
  });

  it('only those with certain attributes', async () => {
    const pro = [{ key: 'plan', value: 'pro' }];
    const { ranges } = await guerdon.points.getPointsSummary({ systemKey: 'gems', userAttributes: pro });
    const found = ranges.filter(({ users }) => users > 0n).map(({ to, users }) => [Number(to), Number(users)]);
    expect(found).toEqual([
      [100, 1],
      [200, 1],
    ]);
  });

  it('how many are on each level, of two of one threshold the last, and below them all', async () => {
    const summary = async () => {
      const { levels, usersBelow } = await guerdon.points.getLevelSummary({ systemKey: 'gems' });
      return [...levels.map(({ level, users }) => [level?.key, Number(users)]), ['below', Number(usersBelow)]];
    };
    const { rows } = await guerdon.database.pool.query('select count(*)::int as users from users');
    const onFirst = rows[0].users - 4;
    expect(await summary()).toEqual([
      ['g0', onFirst],
      ['g1', 0],
      ['g2', 2],
      ['g3', 1],
      ['below', 1],
    ]);
    const update = { system: { key: 'gems', levelBasis: LevelBasis.EARNED } };
    await guerdon.admin.updatePointsSystems({ updates: [update] });
    expect(await summary()).toEqual([
      ['g0', onFirst + 1],
      ['g1', 0],
      ['g2', 2],
      ['g3', 1],
      ['below', 0],
    ]);
    expect(await codeOf(guerdon.points.getLevelSummary({ systemKey: 'coins' }))).toBe(Code.FailedPrecondition);
  });
});

it('the levels of a user, up and down, each with its entry', async () => {
  await arrive('climber');
  for (const amount of [99n, 1n, 400n, -450n, 10_000n]) await adjust('climber', amount);
  const { changes } = await guerdon.points.listLevelChanges({ userId: 'climber', systemKey: 'xp' });
  expect(changes.map(({ fromKey, toKey, version }) => [fromKey, toKey, Number(version)])).toEqual([
    ['novice', 'master', 5],
    ['adept', 'novice', 4],
    ['apprentice', 'adept', 3],
    ['novice', 'apprentice', 2],
  ]);
  expect(Number(changes[0]?.at?.seconds)).toBeCloseTo(Date.now() / 1_000, -2);
});

it('the balance at every instant that the ledger knows', async () => {
  await arrive('historic');
  for (let amount = 1n; amount <= 25n; amount += 1n) await adjust('historic', amount);
  const asked = { userId: 'historic', systemKey: 'xp' };
  const { entries } = await guerdon.points.listLedgerEntries(asked);
  const instants = entries.map(({ createdAt }) => timestampMs(createdAt as Timestamp));
  for (const instant of instants.flatMap((at) => [at - 1, at])) {
    const last = entries.find((_, index) => (instants[index] as number) <= instant);
    const then = await guerdon.points.getUserBalanceAt({ ...asked, at: timestampFromMs(instant) });
    expect([then.version, then.total]).toEqual([last?.version ?? 0n, last?.balanceAfter ?? 0n]);
  }
});
