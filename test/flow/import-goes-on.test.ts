import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AchievementService } from '../../src/gen/guerdon/v1/achievement_service_pb.ts';
import { type Clients, clientsOf, startGuerdon, type TestGuerdon, transportOf } from '../support/guerdon.ts';
import { Imports } from '../support/import-users.ts';
import { expectSound } from '../support/ledger.ts';
import { startReceiver } from '../support/receiver.ts';
import { ALLOWED, addWebhook } from '../support/webhooks.ts';

// What an imported user has reached elsewhere is not paid again, and goes on.

let guerdon: TestGuerdon;
let imports: Imports;
let mine: Clients;
let key = '';
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', ALLOWED);
  imports = new Imports(guerdon.database);
  key = (await guerdon.admin.createProjects({ projects: [{ key: 'mine', name: 'Mine' }] })).created[0]?.adminKey ?? '';
  mine = clientsOf(guerdon.grpcPort, key);
  await mine.admin.applyEconomy({
    file: `
metrics: [{ key: lessons, name: Lessons }]
streak: { frequency: daily }
achievements:
  - { key: fifty, name: Fifty, type: metric, metric: lessons, total: 50 }
  - { key: seventy, name: Seventy, type: metric, metric: lessons, total: 70 }
systems:
  - { key: coins, name: Coins }
  - key: gold
    name: Gold
    levels:
      - { key: low, name: Low, points: 10, rewards: { coins: 5 } }
      - { key: high, name: High, points: 100, rewards: { coins: 50 } }
    triggers:
      - { key: lesson, metric: lessons, threshold: 1, points: 1 }
      - { key: week, type: streak, length: 7, points: 1000 }
      - { key: fifty, type: achievement, achievement: fifty, points: 10000 }
      - { key: seventy, type: achievement, achievement: seventy, points: 20 }
  - key: energy
    name: Energy
    triggers:
      - { key: tick, type: time, every: 24h, points: 3 }`,
  });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await imports.clear();
  await guerdon.close();
});

it('by the clock, by streaks, achievements and levels', async () => {
  // Half a day from a tick of the clock, which has ticked there four hundred times.
  const createdAt = new Date(Date.now() - 400.5 * 86_400_000).toISOString();
  const row = {
    userId: 'moved',
    createdAt,
    points: { gold: { balance: 60 }, energy: { balance: 1 } },
    metrics: { lessons: { total: 60 } },
    streak: { length: 12, lastDay: '2024-02-28' },
  };
  const { rows } = await imports.run(await imports.ndjson([row]), '--project', 'mine');
  expect(rows).toMatchObject([{ outcome: 'imported', warnings: [] }]);
  const { points, events } = mine;
  const totalOf = async (systemKey: string) => (await points.getUserPoints({ userId: 'moved', systemKey })).total;
  const lesson = (day: string, value: string) =>
    events.sendEvent({
      metricKey: 'lessons',
      user: { id: 'moved' },
      value,
      occurredAt: timestampFromMs(Date.parse(`${day}T12:00:00Z`)),
    });
  // The streak is 13 long then: the week before the 7 was paid elsewhere, as were fifty lessons.
  expect((await lesson('2024-02-29', '1')).points.gold).toMatchObject({ added: 1n, total: 61n });
  expect((await lesson('2024-03-01', '1')).points.gold).toMatchObject({ added: 1_001n, total: 1_062n });
  expect(await totalOf('coins')).toBe(50n);
  expect(await totalOf('energy')).toBe(1n);
  const streaks = createClient(AchievementService, transportOf(guerdon.grpcPort, key));
  expect((await streaks.getUserStreak({ userId: 'moved' })).longest).toBe(14n);

  const adjust = (amount: bigint) =>
    points.adjustPoints({ userId: 'moved', systemKey: 'gold', amount, reason: 'r', idempotencyKey: String(amount) });
  await adjust(-1_060n);
  await adjust(500n);
  expect(await totalOf('coins')).toBe(50n);
  expect((await lesson('2024-03-01', '8')).points.gold).toMatchObject({ added: 28n });
});

it('and webhooks are told of it only when asked to', async () => {
  const receiver = await startReceiver();
  await addWebhook(mine, { url: receiver.url });
  const row = (userId: string) => [
    { userId, points: { gold: { balance: 60 } }, streak: { length: 2, lastDay: '2024-02-28' } },
  ];
  await imports.run(await imports.ndjson(row('quiet')), '--project', 'mine');
  await imports.run(await imports.ndjson(row('loud')), '--project', 'mine', '--announce');
  const taken = await receiver.untilTaken(3);
  expect(taken.map(({ body }) => body.type).sort()).toEqual([
    'points.changed',
    'points.level_changed',
    'streak.started',
  ]);
  expect(taken.every(({ raw }) => raw.includes('loud'))).toBe(true);
  const { changes } = await mine.points.listLevelChanges({ userId: 'quiet', systemKey: 'gold' });
  expect(changes).toMatchObject([{ fromKey: '', toKey: 'low', version: 1n }]);
  expect(receiver.received).toHaveLength(3);
  await receiver.close();
});
