import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { clientsOf, startGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

const FILE = `{
  metrics: [{ key: m, name: M }],
  streak: { frequency: daily },
  systems: [{ key: xp, name: XP, triggers: [{ key: pairs, type: streak, length: 2, points: 10 }] }],
}`;

it('a streak grows the same way, whether its events come one by one or several in a batch', async () => {
  const guerdon = await startGuerdon();
  const { created } = await guerdon.admin.createProjects({ projects: [{ key: 'p', name: 'P' }] });
  const { admin, events, points } = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
  await admin.applyEconomy({ file: FILE });
  const on = (day: number) => ({
    metricKey: 'm',
    user: { id: 'ada' },
    value: '1',
    occurredAt: timestampFromMs(Date.parse('2024-06-01T12:00Z') + day * 86_400_000),
  });
  const total = async () => (await points.getUserPoints({ userId: 'ada', systemKey: 'xp' })).total;
  await events.sendEvent(on(0));
  await events.sendEvents({ events: [on(1), on(1)] });
  expect(await total()).toBe(10n);
  await events.sendEvents({ events: [on(2), on(3)] });
  expect(await total()).toBe(20n);
  // What was missing between two runs joins them; both had paid for their pairs.
  await events.sendEvents({ events: [on(6), on(5), on(8), on(4), on(7)] });
  expect(await total()).toBe(40n);
  await expectSound(guerdon.database);
  await guerdon.close();
}, 60_000);
