import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { Period } from '../../src/gen/guerdon/v1/types_pb.ts';
import { describeOnBackends } from '../support/backends.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon, startGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describeOnBackends('limits', (kind) => {
  it('hold under 64 calls at once in two processes: never one award too many, never one too few', async () => {
    const database = await createDatabase();
    const processes = await Promise.all([1, 2].map(() => spawnGuerdon(environment(database, kind))));
    const clients = processes.map(({ grpcPort }) => clientsOf(grpcPort));
    const { admin, points } = clients[0]!;
    const limits = { awards: { most: 10n, per: Period.DAY } };
    const limited = (key: string) => ({ key, points: 3n, type: metric('files', limits) });
    await admin.createTriggers({ systemKey: 'xp', triggers: [limited('limited')] });
    const perWeek = { points: { most: 25n, per: Period.WEEK } };
    await admin.createTriggers({
      systemKey: 'coins',
      triggers: [{ ...limited('weekly'), type: metric('files', perWeek) }],
    });
    const days = ['2024-06-17T12:00Z', '2024-06-18T12:00Z'].map((day) => timestampFromMs(Date.parse(day)));
    const calls = times(128).map((index) => ({
      metricKey: 'files',
      user: { id: `user${index % 2}` },
      value: '1',
      idempotencyKey: `k${index}`,
      occurredAt: days[(index >> 1) % 2]!,
    }));
    await Promise.all(calls.map((call, index) => clients[index % 2]!.events.sendEvent(call)));
    for (const userId of ['user0', 'user1']) {
      const xp = await points.getUserPoints({ userId, systemKey: 'xp', awards: 100 });
      expect([xp.total, xp.awards.length]).toEqual([60n, 20]);
      const coins = await points.getUserPoints({ userId, systemKey: 'coins', awards: 100 });
      // 5 coins for each 20 files come on top.
      expect(coins.total).toBe(25n + 15n);
    }
    await Promise.all(processes.map((one) => one.end()));
    await expectSound(database);
    await database.drop();
  }, 60_000);
});

function metric(metricKey: string, limits: object) {
  return { case: 'metric', value: { metricKey, threshold: '1', limits } } as const;
}

it('limits of a day hold when the zone changes within a batch, by an event that no limit concerns', async () => {
  const guerdon = await startGuerdon();
  const { admin, database, events, points } = guerdon;
  const perDay = { awards: { most: 1n, per: Period.DAY } };
  await admin.createTriggers({
    systemKey: 'coins',
    triggers: [{ key: 'once', points: 1n, type: metric('commits', perDay) }],
  });
  const occurredAt = timestampFromMs(Date.parse('2024-06-15T00:30Z'));
  const commit = (id: string, key: string) => ({
    metricKey: 'commits',
    user: { id },
    value: '1',
    idempotencyKey: key,
    occurredAt,
  });
  for (const id of times(10).map((index) => `mover${index}`)) {
    await events.sendEvent({ ...commit(id, 'first'), user: { id, tz: 'Asia/Tokyo' } });
    const move = { metricKey: 'files', user: { id, tz: 'Europe/London' }, value: '0' };
    await events.sendEvents({ events: [move, commit(id, 'second'), commit(id, 'third')] });
    expect((await points.getUserPoints({ userId: id, systemKey: 'coins' })).total).toBe(1n);
  }
  await expectSound(database);
  await guerdon.close();
});

it('two calls at once that make the same user make one user and one award of creation', async () => {
  const guerdon = await startGuerdon();
  const { admin, database, events, points } = guerdon;
  const welcome = { key: 'welcome', points: 50n, type: { case: 'userCreation', value: {} } } as const;
  const { created, issues } = await admin.createTriggers({ systemKey: 'xp', triggers: [welcome] });
  expect([created.map(({ type }) => type.case), issues]).toEqual([['userCreation'], []]);
  const early = timestampFromMs(Date.parse('2020-01-01T00:00Z'));
  const answers = await Promise.all(
    times(40).map((index) =>
      events.sendEvent({ metricKey: 'lessons', user: { id: `new${index % 10}` }, value: '1', occurredAt: early }),
    ),
  );
  const trigger = created[0]?.id;
  const paid = answers
    .flatMap(({ points: { xp } }) => xp?.awards ?? [])
    .filter(({ triggerId }) => triggerId === trigger);
  expect(paid).toHaveLength(10);
  expect(Number(paid[0]?.occurredAt?.seconds)).toBeCloseTo(Date.now() / 1_000, -2);
  for (const index of times(10)) {
    expect((await points.getUserPoints({ userId: `new${index}`, systemKey: 'xp' })).total).toBe(90n);
  }
  await expectSound(database);
  await guerdon.close();
});

it('what a limit held back is told as withheld, and a limit can be changed and taken away', async () => {
  const guerdon = await startGuerdon();
  const { admin, database, events } = guerdon;
  const lesson = (attributes: Record<string, string> = {}) =>
    events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '1', attributes });
  const limit = (limits: object) =>
    admin.updateTriggers({
      systemKey: 'xp',
      updates: [{ trigger: { key: 'lesson', type: { case: 'metric', value: { limits } } } }],
    });
  const { updated } = await limit({ oncePer: 'lesson_id', cooldown: { seconds: 0n } });
  expect(updated).toEqual([]);
  await limit({ oncePer: 'lesson_id' });
  expect((await lesson({ lesson_id: 'a' })).points.xp?.added).toBe(10n);
  expect((await lesson({ lesson_id: 'a' })).points.xp).toMatchObject({ added: 0n, withheld: 10n, total: 10n });
  expect((await lesson({ lesson_id: 'b' })).points.xp?.added).toBe(10n);
  await limit({ points: { most: 5n, per: Period.MONTH }, cooldown: { seconds: 1n } });
  expect((await lesson()).points.xp?.withheld).toBeGreaterThan(0n);
  await admin.updateTriggers({
    systemKey: 'xp',
    updates: [{ trigger: { key: 'lesson' }, updateMask: { paths: ['metric.limits'] } }],
  });
  expect((await lesson()).points.xp).toMatchObject({ added: 10n, withheld: 0n });
  const { trigger } = await admin.getTrigger({ systemKey: 'xp', key: 'lesson' });
  expect(trigger?.type.value).toMatchObject({ metricKey: 'lessons', threshold: '1' });
  await expectSound(database);
  await guerdon.close();
});
