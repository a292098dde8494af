import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BadRequestSchema, ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
  const welcome = { key: 'welcome', points: 50n, type: { case: 'userCreation', value: {} } } as const;
  await guerdon.admin.createTriggers({ systemKey: 'xp', triggers: [welcome] });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const xpOf = async (userId: string) => guerdon.points.getUserPoints({ userId, systemKey: 'xp' });

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error('it was taken');
    },
    (thrown) => ConnectError.from(thrown),
  );
  const violations = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return {
    code: error.code,
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
    fields: violations.map(({ field }) => field),
  };
}

describe('a user', () => {
  it('is created as described, paid for it, and read back', async () => {
    const user = { id: 'ada', name: 'Ada', email: 'ada@example.org', tz: 'Europe/London', attributes: { plan: 'pro' } };
    const { user: created } = await guerdon.users.createUser({ user });
    expect(created).toMatchObject(user);
    expect((await guerdon.users.getUser({ userId: 'ada' })).user).toEqual(created);
    const { total, awards } = await xpOf('ada');
    expect(total).toBe(50n);
    expect(awards).toMatchObject([{ amount: 50n, eventId: '', occurredAt: created?.createdAt }]);
    const { entries } = await guerdon.points.listLedgerEntries({ userId: 'ada', systemKey: 'xp' });
    expect(entries).toMatchObject([{ version: 1n, amount: 50n, eventId: '' }]);
  });

  it('that exists is not created again, and one that does not is not updated', async () => {
    await guerdon.users.createUser({ user: { id: 'bob', name: 'Bob' } });
    const again = guerdon.users.createUser({ user: { id: 'bob', name: 'Robert' } });
    expect(await failureOf(again)).toMatchObject({ code: Code.AlreadyExists, reason: 'USER_EXISTS' });
    expect((await guerdon.users.getUser({ userId: 'bob' })).user?.name).toBe('Bob');
    const nobody = guerdon.users.updateUser({ user: { id: 'nobody', name: 'N' } });
    expect(await failureOf(nobody)).toMatchObject({ code: Code.NotFound, reason: 'USER_UNKNOWN' });
    expect(await failureOf(guerdon.users.getUser({ userId: 'nobody' }))).toMatchObject({ code: Code.NotFound });
  });

  it('is changed in what is given, and cleared where it is empty', async () => {
    const attributes = { plan: 'pro' };
    await guerdon.users.createUser({ user: { id: 'cleo', name: 'Cleo', email: 'c@example.org', attributes } });
    const { user } = await guerdon.users.updateUser({ user: { id: 'cleo', name: 'C', email: '' } });
    expect(user).toMatchObject({ name: 'C', email: '', attributes });
    const cleared = await guerdon.users.updateUser({ user: { id: 'cleo', attributes: { plan: '' } } });
    expect(cleared.user).toMatchObject({ name: 'C', attributes: {} });
  });

  it('is identified: made where new, changed where known, paid once', async () => {
    const first = await guerdon.users.identifyUser({ user: { id: 'dan', name: 'Dan' } });
    const second = await guerdon.users.identifyUser({ user: { id: 'dan', tz: 'Asia/Tokyo' } });
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.user).toMatchObject({ name: 'Dan', tz: 'Asia/Tokyo', createdAt: first.user?.createdAt });
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'dan' }, value: '1' });
    expect((await xpOf('dan')).total).toBe(60n);
  });

  it('that many calls and events make at once is one user, paid once', async () => {
    const calls = Array.from({ length: 60 }, (_, index) => {
      const user = { id: `crowd${index % 5}` };
      if (index % 3 === 0) return guerdon.events.sendEvent({ metricKey: 'lessons', user, value: '0' });
      return index % 3 === 1 ? guerdon.users.identifyUser({ user }) : guerdon.users.createUser({ user });
    });
    const settled = await Promise.allSettled(calls);
    const failed = settled.filter((result) => result.status === 'rejected');
    expect(failed.every(({ reason }) => ConnectError.from(reason).code === Code.AlreadyExists)).toBe(true);
    for (let index = 0; index < 5; index += 1) expect((await xpOf(`crowd${index}`)).total).toBe(50n);
  });

  it('keeps any id that may be', async () => {
    for (const id of ['a/b', '100%', 'with space', '🦉'.repeat(255)]) {
      expect((await guerdon.users.identifyUser({ user: { id } })).user?.id).toBe(id);
      expect((await guerdon.users.getUser({ userId: id })).user?.id).toBe(id);
    }
  });

  it.each([
    ['no user', undefined, 'user'],
    ['no id', { id: '' }, 'user.id'],
    ['an id of 256 characters', { id: 'x'.repeat(256) }, 'user.id'],
    ['NUL in the name', { id: 'u', name: '\0' }, 'user.name'],
    ['an unknown zone', { id: 'u', tz: 'Mars/Olympus' }, 'user.tz'],
    ['an undeclared attribute', { id: 'u', attributes: { shoe: '9' } }, 'user.attributes["shoe"]'],
    ['a value of 256 characters', { id: 'u', attributes: { plan: 'x'.repeat(256) } }, 'user.attributes["plan"]'],
  ])('with %s is refused, and nothing is stored', async (_what, user, field) => {
    const count = async () => (await guerdon.database.pool.query('select count(*) from users')).rows[0];
    const before = await count();
    const request = user === undefined ? {} : { user };
    for (const call of [
      guerdon.users.createUser(request),
      guerdon.users.identifyUser(request),
      guerdon.users.updateUser(request),
    ]) {
      expect(await failureOf(call)).toEqual({ code: Code.InvalidArgument, reason: 'FIELDS_INVALID', fields: [field] });
    }
    expect(await count()).toEqual(before);
  });
});

it('a deduction that refuses keeps a user from becoming known, and leaves no trace', async () => {
  const toll = { key: 'toll', points: -5n, type: { case: 'userCreation', value: {} } } as const;
  await guerdon.admin.createTriggers({ systemKey: 'coins', triggers: [toll] });
  const call = guerdon.users.identifyUser({ user: { id: 'poor' } });
  expect(await failureOf(call)).toMatchObject({ code: Code.FailedPrecondition, reason: 'OUT_OF_POINTS' });
  expect(await failureOf(guerdon.users.getUser({ userId: 'poor' }))).toMatchObject({ code: Code.NotFound });
  await guerdon.admin.archiveTriggers({ systemKey: 'coins', keys: ['toll'] });
  await guerdon.users.identifyUser({ user: { id: 'poor' } });
  expect((await xpOf('poor')).total).toBe(50n);
});
