import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BoostInputSchema } from '../../src/gen/guerdon/v1/boost_service_pb.ts';
import { BoostStatus, Rounding } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
let user = '';
let users = 0;
beforeAll(async () => {
  guerdon = await startGuerdon();
  await guerdon.admin.createMetrics({ metrics: [{ key: 'falls', name: 'Falls' }] });
  const falls = { case: 'metric', value: { metricKey: 'falls', threshold: '1' } } as const;
  await guerdon.admin.createTriggers({
    systemKey: 'xp',
    triggers: [{ key: 'fall', points: -4n, type: falls }],
  });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});
beforeEach(() => {
  users += 1;
  user = `user${users}`;
});

const ms = (iso: string) => Date.parse(iso);

/** A lesson, which gives 10 xp, of an instant; gives the xp that it gave. */
async function lesson(at?: number): Promise<number> {
  const occurredAt = at === undefined ? {} : { occurredAt: timestampFromMs(at) };
  const answer = await guerdon.events.sendEvent({
    metricKey: 'lessons',
    user: { id: user },
    value: '1',
    ...occurredAt,
  });
  return Number(answer.points.xp?.added);
}

async function arrive(tz: string): Promise<void> {
  await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user, tz }, value: '0' });
}

async function boost(...boosts: MessageInitShape<typeof BoostInputSchema>[]) {
  const { created, issues } = await guerdon.boosts.createBoosts({
    systemKey: 'xp',
    boosts: boosts.map((item) => ({ userId: user, name: 'b', multiplier: '2', ...item })),
  });
  expect(created).toHaveLength(boosts.length);
  return { created, issues };
}

/** As if no job had ever run: nothing was activated or is going to be. */
async function stopTheClock(): Promise<void> {
  await guerdon.database.pool.query(`update user_boosts set status = 'scheduled', due_at = null`);
}

describe('a boost for a day, with no job to say so, applies from the first to the last millisecond of the day', () => {
  it.each([
    ['UTC−11', 'Pacific/Pago_Pago', '2024-06-15', '2024-06-15T11:00Z', '2024-06-16T11:00Z'],
    ['UTC−3:30, in summer −2:30', 'America/St_Johns', '2024-06-15', '2024-06-15T02:30Z', '2024-06-16T02:30Z'],
    ['UTC', 'UTC', '2024-06-15', '2024-06-15T00:00Z', '2024-06-16T00:00Z'],
    ['UTC+5:45', 'Asia/Kathmandu', '2024-06-15', '2024-06-14T18:15Z', '2024-06-15T18:15Z'],
    ['UTC+14', 'Pacific/Kiritimati', '2024-06-15', '2024-06-14T10:00Z', '2024-06-15T10:00Z'],
    ['a day of 23 hours', 'Europe/Berlin', '2024-03-31', '2024-03-30T23:00Z', '2024-03-31T22:00Z'],
    ['a day of 25 hours', 'America/New_York', '2024-11-03', '2024-11-03T04:00Z', '2024-11-04T05:00Z'],
    ['a day that begins at one', 'America/Santiago', '2024-09-08', '2024-09-08T04:00Z', '2024-09-09T03:00Z'],
    ['leap day', 'Asia/Tokyo', '2024-02-29', '2024-02-28T15:00Z', '2024-02-29T15:00Z'],
  ])('%s', async (_title, tz, day, start, end) => {
    await arrive(tz);
    const { created } = await boost({ start: day, end: day });
    expect(created[0]).toMatchObject({
      status: BoostStatus.FINISHED,
      startTime: timestampFromMs(ms(start)),
      endTime: timestampFromMs(ms(end)),
    });
    await stopTheClock();
    const given = [];
    for (const at of [ms(start) - 1, ms(start), ms(end) - 1, ms(end)]) given.push(await lesson(at));
    expect(given).toEqual([10, 20, 20, 10]);
  });
});

it('one of the project’s days does not follow the user’s zone', async () => {
  await arrive('Pacific/Kiritimati');
  await boost({ start: '2024-06-15', end: '2024-06-15', zone: 2 });
  expect(await lesson(ms('2024-06-14T23:59:59.999Z'))).toBe(10);
  expect(await lesson(ms('2024-06-15T00:00Z'))).toBe(20);
});

it('one without an end applies for ever after, and one of instants to the millisecond', async () => {
  await arrive('Asia/Tokyo');
  await boost(
    { start: '2024-01-01' },
    { multiplier: '3', startTime: timestampFromMs(5_000), endTime: timestampFromMs(6_000) },
  );
  expect(await lesson(ms('2024-01-01T00:00Z'))).toBe(20);
  expect(await lesson()).toBe(20);
  expect([await lesson(4_999), await lesson(5_000), await lesson(5_999), await lesson(6_000)]).toEqual([
    10, 30, 30, 10,
  ]);
});

it('boosts that overlap multiply, as far as the ceiling goes, and an exclusive one stands alone', async () => {
  await arrive('UTC');
  await boost(
    { multiplier: '2', start: '2024-01-01', end: '2024-01-04' },
    { multiplier: '1.5', start: '2024-01-02', end: '2024-01-04' },
    { multiplier: '3', start: '2024-01-03', end: '2024-01-04' },
    { multiplier: '4', start: '2024-01-04', end: '2024-01-04', exclusive: true },
  );
  const days = ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05'];
  const given = async () => {
    const points = [];
    for (const day of days) points.push(await lesson(ms(`${day}T12:00Z`)));
    return points;
  };
  expect(await given()).toEqual([20, 30, 90, 40, 10]);
  const ceiling = (boostCeiling?: string) =>
    guerdon.admin.updatePointsSystems({
      updates: [
        { system: { key: 'xp', ...(boostCeiling && { boostCeiling }) }, updateMask: { paths: ['boost_ceiling'] } },
      ],
    });
  await ceiling('3.5');
  expect(await given()).toEqual([20, 30, 35, 35, 10]);
  await ceiling();
  expect(await given()).toEqual([20, 30, 90, 40, 10]);
});

it('boosts that disagree on rounding round down, and agree to round as they say', async () => {
  await arrive('UTC');
  const day = (start: string) => ({ start, end: start });
  await boost(
    { multiplier: '1.11', rounding: Rounding.UP, ...day('2024-01-01') },
    { multiplier: '1.11', rounding: Rounding.UP, ...day('2024-01-02') },
    { multiplier: '1.25', rounding: Rounding.NEAREST, ...day('2024-01-02') },
    { multiplier: '1.25', rounding: Rounding.NEAREST, ...day('2024-01-03') },
  );
  const given = [];
  for (const day of ['2024-01-01', '2024-01-02', '2024-01-03']) given.push(await lesson(ms(`${day}T12:00Z`)));
  expect(given).toEqual([12, 13, 13]);
});

it('deductions, spends and adjustments are not boosted', async () => {
  await arrive('UTC');
  await boost({ multiplier: '3', start: '2024-01-01' });
  expect(await lesson()).toBe(30);
  const fall = await guerdon.events.sendEvent({ metricKey: 'falls', user: { id: user }, value: '1' });
  expect(fall.points.xp).toMatchObject({ added: -4n, total: 26n });
  const key = { userId: user, systemKey: 'xp', reason: 'r' };
  expect((await guerdon.points.adjustPoints({ ...key, amount: 5n, idempotencyKey: 'a' })).total).toBe(31n);
  expect((await guerdon.points.spendPoints({ ...key, amount: 5n, idempotencyKey: 's' })).total).toBe(26n);
});

it('a backlog that is applied an hour late is judged by when it happened', async () => {
  await arrive('UTC');
  const now = Date.now();
  const over = { startTime: timestampFromMs(now - 7_200_000), endTime: timestampFromMs(now - 3_600_000) };
  const { issues } = await boost({ ...over });
  expect(issues).toMatchObject([{ field: 'end_time', message: expect.stringContaining('is over') }]);
  expect(await lesson(now - 3_600_001)).toBe(20);
  expect(await lesson(now - 3_600_000)).toBe(10);
  expect(await lesson()).toBe(10);
});

it('an archived boost applies to nothing, also not to what comes late', async () => {
  await arrive('UTC');
  const { created } = await boost({ start: '2024-01-01' });
  expect(await lesson()).toBe(20);
  await guerdon.boosts.deleteBoosts({ ids: created.map(({ id }) => id) });
  expect(await lesson()).toBe(10);
  expect(await lesson(ms('2024-06-01T00:00Z'))).toBe(10);
});
