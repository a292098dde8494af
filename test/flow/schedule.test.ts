import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { advanceBoosts } from '../../src/commands/boosts/advance-boosts.ts';
import { resolveWindows } from '../../src/commands/boosts/resolve-windows.ts';
import { BoostStatus, BoostZone } from '../../src/gen/guerdon/v1/types_pb.ts';
import { describeOnBackends, itWithRedisServer, privateRedis } from '../support/backends.ts';
import {
  addBoosts,
  addUsers,
  announced,
  announcements,
  forgetAnnouncements,
  listen,
  statuses,
} from '../support/boosts.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

const ms = (iso: string) => Date.parse(iso);
const DAY = { start: '2040-06-15', end: '2040-06-15' };

describe('at an instant that the test chooses', () => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon();
    await listen(guerdon.database);
  });
  afterAll(() => guerdon.close());
  beforeEach(async () => {
    const { pool } = guerdon.database;
    await forgetAnnouncements(guerdon.database);
    await pool.query('delete from user_boosts');
    await pool.query('delete from global_boosts');
    await pool.query('delete from users');
  });

  const advance = (at: string) => advanceBoosts(guerdon.database.pool, ms(at), 1_000);
  const resolve = () => resolveWindows(guerdon.running.context.orm, Date.now());
  async function shown(id: string) {
    const { boost } = await guerdon.boosts.getBoost({ id });
    return { status: boost?.status, startTime: boost?.startTime, endTime: boost?.endTime };
  }
  async function global(zone: BoostZone): Promise<string> {
    const boost = { name: 'g', multiplier: '2', zone, ...DAY };
    const { created } = await guerdon.boosts.createBoosts({ systemKey: 'xp', boosts: [boost] });
    return created[0]?.id ?? '';
  }

  it.each([
    ['Pacific/Pago_Pago', '2040-06-15T11:00Z', '2040-06-16T11:00Z'],
    ['America/Los_Angeles', '2040-06-15T07:00Z', '2040-06-16T07:00Z'],
    ['UTC', '2040-06-15T00:00Z', '2040-06-16T00:00Z'],
    ['Asia/Kathmandu', '2040-06-14T18:15Z', '2040-06-15T18:15Z'],
    ['Pacific/Kiritimati', '2040-06-14T10:00Z', '2040-06-15T10:00Z'],
  ])('a day in %s begins and ends at its own midnights, once', async (zone, start, end) => {
    const [id = ''] = await addBoosts(guerdon, await addUsers(guerdon.database, 1, zone), DAY);
    const justBefore = (at: string) => new Date(ms(at) - 1).toISOString();
    const seen = [];
    for (const at of [justBefore(start), start, start, justBefore(end), end, end]) {
      await advance(at);
      seen.push([(await shown(id)).status, (await announced(guerdon.database)).started]);
    }
    const { SCHEDULED, ACTIVE, FINISHED } = BoostStatus;
    expect(seen).toEqual([
      [SCHEDULED, 0],
      [ACTIVE, 1],
      [ACTIVE, 1],
      [ACTIVE, 1],
      [FINISHED, 1],
      [FINISHED, 1],
    ]);
    expect(await announced(guerdon.database)).toEqual({ started: 1, finished: 1, again: 0 });
    expect(await announcements(guerdon.database)).toMatchObject([
      { kind: 'boost_started', payload: { boost: id, at: String(ms(start)) }, user_id: expect.anything() },
      { kind: 'boost_finished', payload: { boost: id, at: String(ms(end)) } },
    ]);
  });

  it('a boost for everyone begins in the first zone of the Earth and ends in the last', async () => {
    const id = await global(BoostZone.USER);
    await advance('2040-06-14T09:59:59.999Z');
    expect((await shown(id)).status).toBe(BoostStatus.SCHEDULED);
    await advance('2040-06-14T10:00Z');
    expect((await shown(id)).status).toBe(BoostStatus.ACTIVE);
    await advance('2040-06-16T11:59:59.999Z');
    expect((await shown(id)).status).toBe(BoostStatus.ACTIVE);
    await advance('2040-06-16T12:00Z');
    expect((await shown(id)).status).toBe(BoostStatus.FINISHED);
    expect(await announced(guerdon.database)).toEqual({ started: 1, finished: 1, again: 0 });
  });

  it('what was slept through is caught up: it has begun and ended', async () => {
    await addBoosts(guerdon, await addUsers(guerdon.database, 20, 'UTC'), DAY);
    await advance('2041-01-01T00:00Z');
    expect(await statuses(guerdon.database)).toEqual({ finished: 20 });
    expect(await announced(guerdon.database)).toEqual({ started: 20, finished: 20, again: 0 });
  });

  it('however many claim at once, each boost is activated once', async () => {
    const users = await addUsers(guerdon.database, 3_000, 'UTC');
    await addBoosts(guerdon, users, DAY);
    const claimer = async () => {
      let all = 0;
      for (let claimed = 1; claimed > 0; all += claimed) {
        claimed = await advanceBoosts(guerdon.database.pool, ms('2040-06-15T12:00Z'), 100);
      }
      return all;
    };
    const claims = await Promise.all(Array.from({ length: 5 }, claimer));
    expect(claims.reduce((sum, claimed) => sum + claimed, 0)).toBe(users.length);
    expect(claims.filter((claimed) => claimed > 0).length).toBeGreaterThan(1);
    expect(await statuses(guerdon.database)).toEqual({ active: users.length });
    expect(await announced(guerdon.database)).toEqual({ started: users.length, finished: 0, again: 0 });
  }, 60_000);

  it('an archived boost is neither activated nor announced', async () => {
    const ids = await addBoosts(guerdon, await addUsers(guerdon.database, 2, 'UTC'), DAY);
    await guerdon.boosts.deleteBoosts({ ids: ids.slice(0, 1) });
    await advance('2040-06-17T00:00Z');
    expect(await announced(guerdon.database)).toEqual({ started: 1, finished: 1, again: 0 });
  });

  it('a user who moves gets the day of the new zone, and a day that has begun goes on without beginning again', async () => {
    const [user = ''] = await addUsers(guerdon.database, 1, 'America/New_York');
    const [id = ''] = await addBoosts(guerdon, [user], DAY);
    const move = async (tz: string) => {
      await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user, tz }, value: '0' });
      await resolve();
    };
    await move('Asia/Tokyo');
    const tokyo = { startTime: timestampFromMs(ms('2040-06-14T15:00Z')) };
    await until(async () => (await shown(id)).startTime?.seconds === tokyo.startTime.seconds, {
      what: 'the new start',
    });
    await advance('2040-06-14T15:00Z');
    expect(await shown(id)).toMatchObject({ status: BoostStatus.ACTIVE, ...tokyo });
    await move('Pacific/Pago_Pago');
    await until(async () => (await shown(id)).endTime?.seconds !== BigInt(ms('2040-06-15T15:00Z') / 1000), {
      what: 'the new end',
    });
    await advance('2040-06-14T15:00Z');
    expect((await shown(id)).status).toBe(BoostStatus.ACTIVE);
    await advance('2040-06-17T00:00Z');
    expect(await announced(guerdon.database)).toEqual({ started: 1, finished: 1, again: 0 });
  });

  it('a project that changes its zone moves the windows of its days', async () => {
    const [user = ''] = await addUsers(guerdon.database, 1, 'Asia/Tokyo');
    const [own = ''] = await addBoosts(guerdon, [user], { ...DAY, zone: BoostZone.PROJECT });
    const all = await global(BoostZone.PROJECT);
    const zoneTo = (timeZone: string) =>
      guerdon.admin.updateProjects({ updates: [{ project: { key: 'demo', timeZone } }] });
    await zoneTo('America/New_York');
    await resolve();
    for (const id of [own, all]) {
      const start = BigInt(ms('2040-06-15T04:00Z') / 1000);
      await until(async () => (await shown(id)).startTime?.seconds === start, { what: 'the new start' });
    }
    await zoneTo('UTC');
  });

  it('a boost whose end is moved is finished at its new end', async () => {
    const [id = ''] = await addBoosts(guerdon, await addUsers(guerdon.database, 1, 'UTC'), DAY);
    await advance('2040-06-15T00:00Z');
    await guerdon.boosts.updateBoosts({ updates: [{ boost: { id, end: '2040-06-20' } }] });
    await advance('2040-06-16T00:00Z');
    expect((await shown(id)).status).toBe(BoostStatus.ACTIVE);
    await advance('2040-06-21T00:00Z');
    expect((await shown(id)).status).toBe(BoostStatus.FINISHED);
  });
});

describeOnBackends('by the jobs alone', (kind) => {
  it('a boost is activated and finished when its time comes, and not before', async () => {
    const guerdon = await startGuerdon(kind);
    await listen(guerdon.database);
    const [user = ''] = await addUsers(guerdon.database, 1, 'UTC');
    const startTime = timestampFromMs(Date.now() + 800);
    const endTime = timestampFromMs(Date.now() + 1_600);
    await addBoosts(guerdon, [user], { startTime, endTime });
    const all = { name: 'g', multiplier: '2', startTime, endTime };
    await guerdon.boosts.createBoosts({ systemKey: 'xp', boosts: [all] });
    await until(async () => (await announced(guerdon.database)).finished === 2, { what: 'both to be finished' });
    expect(await announced(guerdon.database)).toEqual({ started: 2, finished: 2, again: 0 });
    const told = await announcements(guerdon.database);
    expect(told.filter(({ created_at, payload }) => created_at.getTime() < Number(payload.at))).toEqual([]);
    await guerdon.close();
  });
});

itWithRedisServer('a schedule that FLUSHALL took is put back, and what is due happens all the same', async () => {
  const redis = await privateRedis();
  const url = redis?.url ?? '';
  const guerdon = await startGuerdon('redis', { REDIS_URL: url });
  await listen(guerdon.database);
  const [user = ''] = await addUsers(guerdon.database, 1, 'UTC');
  await addBoosts(guerdon, [user], { startTime: timestampFromMs(Date.now() + 1_500) });
  const admin = new Redis(url);
  await admin.flushall();
  await until(async () => (await announced(guerdon.database)).started === 1, { what: 'the boost to be activated' });
  expect(await admin.keys('*:repeat:*')).not.toEqual([]);
  admin.disconnect();
  await guerdon.close();
  await redis?.stop();
});
