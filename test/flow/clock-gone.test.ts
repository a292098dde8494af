import { afterAll, beforeAll, expect, it } from '@jest/globals';
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

it('a project whose last points system with a clock is archived goes on', async () => {
  const { created } = await guerdon.admin.createProjects({ projects: [{ key: 'p', name: 'P' }] });
  const { admin, events } = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
  const xp = '{ key: xp, name: XP, triggers: [{ key: t, metric: m, threshold: 1, points: 1 }] }';
  const timed = '{ key: e, name: E, maxPoints: 9, triggers: [{ key: t, type: time, every: 1h, points: 1 }] }';
  const file = (systems: string) => `{ metrics: [{ key: m, name: M }], systems: [${systems}] }`;
  const send = () => events.sendEvent({ metricKey: 'm', user: { id: 'ada' }, value: '1' });
  await admin.applyEconomy({ file: file(`${xp}, ${timed}`) });
  await send();
  await admin.applyEconomy({ file: file(xp), allowStranding: true });
  expect((await send()).points.xp?.total).toBe(2n);
});
