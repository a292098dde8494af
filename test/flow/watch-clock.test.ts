import { expect, it } from '@jest/globals';
import { startGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

const HOUR_MS = 3_600_000;

it('who watches is told each tick of the clock, which nobody else has touched', async () => {
  let ahead = 0;
  const guerdon = await startGuerdon('postgres', {}, () => Date.now() + ahead);
  const { admin, points, database } = guerdon;
  const every = { seconds: 3600n, nanos: 0 };
  await admin.createTriggers({
    systemKey: 'energy',
    triggers: [{ key: 'refill', points: 2n, type: { case: 'time', value: { every, runs: 2 } } }],
  });
  await guerdon.users.createUser({ user: { id: 'ada' } });
  const stop = new AbortController();
  const totals: bigint[] = [];
  for await (const told of points.watchUserPoints({ userId: 'ada', systemKey: 'energy' }, { signal: stop.signal })) {
    totals.push(told.total);
    if (totals.length === 4) break;
    ahead += HOUR_MS + 60_000;
  }
  stop.abort();
  expect(totals).toEqual([0n, 2n, 4n, 6n]);
  await expectSound(database);
  await guerdon.close();
});
