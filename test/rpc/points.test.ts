import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LevelBasis } from '../../src/gen/guerdon/v1/types_pb.ts';
import { clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

let users = 0;
/** A user of its own with so many lessons, that is ten times as many xp. */
async function userWith(lessons: number): Promise<string> {
  users += 1;
  const id = `user${users}`;
  await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id }, value: String(lessons) });
  return id;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    (error) => ConnectError.from(error).code,
  );

describe('a repeat', () => {
  const event = { metricKey: 'lessons', value: '1', idempotencyKey: 'k' };
  it('answers with the first event and its awards, totals as of now, and does not update the user', async () => {
    const user = await userWith(1);
    const first = await guerdon.events.sendEvent({ ...event, user: { id: user } });
    await guerdon.events.sendEvent({ ...event, idempotencyKey: 'other', user: { id: user, name: 'Ada' } });
    const again = await guerdon.events.sendEvent({ ...event, user: { id: user, name: 'Eve' } });
    expect(again).toMatchObject({ eventId: first.eventId, total: '3', idempotentReplayed: true });
    expect(again.points.xp).toMatchObject({ added: 10n, total: 30n });
    expect(again.points.xp?.awards).toEqual(first.points.xp?.awards);
    const { rows } = await guerdon.database.pool.query('select name from users where external_id = $1', [user]);
    expect(rows).toEqual([{ name: 'Ada' }]);
  });

  it.each([
    ['the number written otherwise', { value: '01.0' }, 'ok'],
    ['another value', { value: '2' }, Code.AlreadyExists],
    ['another attribute', { attributes: { repo: 'x' } }, Code.AlreadyExists],
    ['an instant where there was none', { occurredAt: { seconds: 5n, nanos: 0 } }, Code.AlreadyExists],
    ['another profile', { name: 'x' }, 'ok'],
  ])('with %s', async (_what, { name, ...change }: { name?: string; [field: string]: unknown }, result) => {
    const id = await userWith(0);
    await guerdon.events.sendEvent({ ...event, user: { id } });
    const user = name === undefined ? { id } : { id, name };
    expect(await codeOf(guerdon.events.sendEvent({ ...event, ...change, user }))).toBe(result);
    expect((await guerdon.points.getUserPoints({ userId: id, systemKey: 'xp' })).total).toBe(10n);
  });

  it('without a key is an event of its own', async () => {
    const user = await userWith(1);
    for (let time = 0; time < 2; time += 1) {
      await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value: '1' });
    }
    expect((await guerdon.points.getUserPoints({ userId: user, systemKey: 'xp' })).total).toBe(30n);
  });
});

describe('spends and adjustments', () => {
  it('move the balance and the level, once a key', async () => {
    const userId = await userWith(9);
    const grant = { userId, systemKey: 'xp', amount: 15n, reason: 'sorry', idempotencyKey: 'g' };
    expect(await guerdon.points.adjustPoints(grant)).toMatchObject({
      total: 105n,
      levelChanged: true,
      level: { key: 'apprentice' },
      nextLevel: { key: 'adept', points: 500n },
      pointsToNextLevel: 395n,
      entry: { version: 2n, kind: 3, amount: 15n, balanceAfter: 105n, reason: 'sorry', idempotencyKey: 'g' },
      idempotentReplayed: false,
    });
    expect(
      await guerdon.points.spendPoints({ userId, systemKey: 'xp', amount: 30n, idempotencyKey: 'g' }),
    ).toMatchObject({
      total: 75n,
      levelChanged: true,
      level: { key: 'novice' },
      nextLevel: { key: 'apprentice' },
      pointsToNextLevel: 25n,
      entry: { version: 3n, amount: -30n },
    });
    expect(await guerdon.points.adjustPoints(grant)).toMatchObject({
      total: 75n,
      idempotentReplayed: true,
      level: { key: 'novice' },
      nextLevel: { key: 'apprentice' },
      pointsToNextLevel: 25n,
    });
    const points = await guerdon.points.getUserPoints({ userId, systemKey: 'xp' });
    expect(points).toMatchObject({
      total: 75n,
      earned: 105n,
      pointsToNextLevel: 25n,
      nextLevel: { key: 'apprentice' },
    });
  });

  it.each([
    ['a spend below 0', 'xp', -101n, Code.FailedPrecondition],
    ['a deduction below 0', 'xp', -101n, Code.FailedPrecondition],
    ['a grant above the cap', 'energy', 16n, Code.FailedPrecondition],
    ['a grant to the cap', 'energy', 15n, 'ok'],
    ['a grant beyond 2^53 - 1', 'xp', 9_007_199_254_740_991n, Code.OutOfRange],
  ])('%s', async (what, systemKey, amount, result) => {
    const userId = await userWith(10);
    const asked = { userId, systemKey, reason: 'test', idempotencyKey: 'k' };
    const call = what.startsWith('a spend')
      ? guerdon.points.spendPoints({ ...asked, amount: -amount })
      : guerdon.points.adjustPoints({ ...asked, amount });
    expect(await codeOf(call)).toBe(result);
  });

  it('with the key of another amount are refused', async () => {
    const userId = await userWith(10);
    const spend = { userId, systemKey: 'xp', amount: 1n, idempotencyKey: 'k' };
    await guerdon.points.spendPoints(spend);
    expect(await codeOf(guerdon.points.spendPoints({ ...spend, amount: 2n }))).toBe(Code.AlreadyExists);
  });
});

describe('reads', () => {
  it('page through the ledger, the newest first, and through events', async () => {
    const userId = await userWith(1);
    const events = Array.from({ length: 6 }, () => ({ metricKey: 'lessons', user: { id: userId }, value: '1' }));
    await guerdon.events.sendEvents({ events });
    const versions: bigint[] = [];
    const seqs: bigint[] = [];
    for (let pageToken = ''; ; ) {
      const page = await guerdon.points.listLedgerEntries({ userId, systemKey: 'xp', pageSize: 3, pageToken });
      versions.push(...page.entries.map((entry) => entry.version));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    for (let pageToken = ''; ; ) {
      const page = await guerdon.events.listEvents({ userId, pageSize: 3, pageToken });
      seqs.push(...page.events.map((event) => event.seq));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(versions).toEqual([7n, 6n, 5n, 4n, 3n, 2n, 1n]);
    expect(seqs).toEqual(versions);
  });

  it('give an event by its id with what it did', async () => {
    const id = await userWith(3);
    const { events } = await guerdon.events.listEvents({ userId: id });
    const eventId = events[0]?.id as string;
    const { event } = await guerdon.events.getEvent({ lookup: { case: 'eventId', value: eventId } });
    expect(event).toMatchObject({
      id: eventId,
      userId: id,
      totalBefore: '0',
      totalAfter: '3',
      seq: 1n,
      programVersion: 1n,
    });
    expect(event?.points.energy).toMatchObject({ added: 3n, total: 3n });
  });

  it('list the points systems with their triggers', async () => {
    const { systems } = await guerdon.points.listPointsSystems({ pageSize: 2 });
    expect(systems.map((system) => system.key)).toEqual(['coins', 'energy']);
    const { system } = await guerdon.points.getPointsSystem({ systemKey: 'energy' });
    expect(system).toMatchObject({
      maxPoints: 25n,
      triggers: [{ points: 1n, type: { value: { metricKey: 'lessons' } } }],
    });
  });

  it('show a key of one project nothing of another', async () => {
    const userId = await userWith(1);
    const { events } = await guerdon.events.listEvents({ userId });
    const { pool } = guerdon.database;
    await pool.query(`insert into projects (key, name, time_zone, created_at) values ('other', 'Other', 'UTC', now())`);
    await pool.query(`insert into api_keys (project_id, prefix, hash, kind, name, created_at)
      select (select id from projects where key = 'other'), 'other', hash, kind, name, now() from api_keys where prefix = 'test'`);
    const other = clientsOf(guerdon.grpcPort, 'other.0123456789abcdef0123456789abcdef');
    const eventId = events[0]?.id as string;
    expect(await codeOf(other.events.getEvent({ lookup: { case: 'eventId', value: eventId } }))).toBe(Code.NotFound);
    expect(await codeOf(other.events.listEvents({ userId }))).toBe(Code.NotFound);
    expect(await codeOf(other.points.getUserPoints({ userId, systemKey: 'xp' }))).toBe(Code.NotFound);
    expect(await codeOf(other.events.sendEvent({ metricKey: 'lessons', user: { id: userId }, value: '1' }))).toBe(
      Code.InvalidArgument,
    );
    expect((await other.points.listPointsSystems({})).systems).toEqual([]);
  });
});

it('spends and adjustments tell what is missing to the next level where levels are by points earned', async () => {
  const { admin, points } = guerdon;
  await admin.createPointsSystems({ systems: [{ key: 'fame', name: 'Fame', levelBasis: LevelBasis.EARNED }] });
  const levels = [10n, 100n].map((from, index) => ({ key: `f${index}`, name: 'F', points: from }));
  await admin.createLevels({ systemKey: 'fame', levels });
  const userId = await userWith(1);
  const move = (amount: bigint, idempotencyKey: string) => {
    const asked = { userId, systemKey: 'fame', reason: 'r', idempotencyKey };
    return amount < 0n ? points.spendPoints({ ...asked, amount: -amount }) : points.adjustPoints({ ...asked, amount });
  };
  const standing = async (amount: bigint, key: string) => {
    const { total, level, nextLevel, pointsToNextLevel } = await move(amount, key);
    return [total, level?.key, nextLevel?.key, pointsToNextLevel];
  };
  expect(await standing(4n, 'a')).toEqual([4n, undefined, 'f0', 6n]);
  expect(await standing(16n, 'b')).toEqual([20n, 'f0', 'f1', 80n]);
  expect(await standing(-15n, 'c')).toEqual([5n, 'f0', 'f1', 80n]);
  // Each answers for its own entry, however late it is answered.
  const grants = [30n, 20n, 10n, 10n].map((amount, index) => move(amount, `g${index}`));
  for (const { entry, pointsToNextLevel } of await Promise.all(grants)) {
    const { entries } = await points.listLedgerEntries({ userId, systemKey: 'fame' });
    const granted = entries.filter(({ version, amount }) => version <= (entry?.version ?? 0n) && amount > 0n);
    expect(pointsToNextLevel).toBe(100n - granted.reduce((sum, { amount }) => sum + amount, 0n));
  }
  expect(await standing(10n, 'd')).toEqual([85n, 'f1', undefined, undefined]);
  expect(await standing(4n, 'a')).toEqual([85n, 'f1', undefined, undefined]);
});
