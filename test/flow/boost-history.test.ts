import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { clientsOf, startGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

const HOUR = 3_600_000;
const START = Date.parse('2024-06-01T00:00Z');
const FILE = `{ systems: [{ key: xp, name: XP, triggers: [{ key: hourly, type: time, every: 1h, points: 10 }] }] }`;

it('a tick is multiplied by the boosts of its own instant, whatever became of them before it was settled', async () => {
  let now = START;
  const guerdon = await startGuerdon('postgres', {}, () => now);
  const { created } = await guerdon.admin.createProjects({ projects: [{ key: 'p', name: 'P' }] });
  const { admin, boosts, points, users } = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
  await admin.applyEconomy({ file: FILE });
  await users.createUser({ user: { id: 'ada' } });
  const startTime = timestampFromMs(START);
  const draft = { name: 'own', userId: 'ada', multiplier: '2', startTime };
  const made = await boosts.createBoosts({ systemKey: 'xp', boosts: [draft] });
  const id = made.created[0]?.id as string;
  const change = (fields: object, ...paths: string[]) =>
    boosts.updateBoosts({ updates: [{ boost: { id, ...fields }, updateMask: { paths } }] });
  now += 4.5 * HOUR;
  expect((await change({ multiplier: '3' }, 'multiplier')).issues).toEqual([]);
  now += 4 * HOUR;
  await change({ name: 'renamed' }, 'name');
  now += 2 * HOUR;
  await change({ startTime: timestampFromMs(START + 12 * HOUR) }, 'start_time');
  now += 3 * HOUR;
  await boosts.deleteBoosts({ ids: [id] });
  now += 2 * HOUR;
  // Hours 1 to 4 at 2, 5 to 10 at 3, 11 at 1, 12 and 13 at 3, 14 and 15 at 1.
  const total = 4n * 20n + 6n * 30n + 10n + 2n * 30n + 2n * 10n;
  expect((await points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total).toBe(total);
  await points.adjustPoints({ userId: 'ada', systemKey: 'xp', amount: 1n, reason: 'touch', idempotencyKey: 'k' });
  expect((await points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total).toBe(total + 1n);
  await expectSound(guerdon.database);
  await guerdon.close();
});
