import { expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { createDatabase } from '../support/database.ts';
import { type Clients, clientsOf, environment, type GuerdonProcess, spawnGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { loadBalances, startLoad } from '../support/load.ts';
import { until } from '../support/wait.ts';

const KILLS = 5;
const LOAD = { count: 1_500, users: 40 };

describeOnBackends('SIGKILL under load, five times', (kind) => {
  it('ends in exact balances when callers repeat with the same keys', async () => {
    const database = await createDatabase();
    const env = environment(database, kind);
    let guerdon: GuerdonProcess = await spawnGuerdon(env);
    let clients: Clients = clientsOf(guerdon.grpcPort);
    const load = startLoad(() => clients, LOAD);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const mark = (LOAD.count * kill) / (KILLS + 1);
      await until(() => load.answered >= mark, { what: `${mark} answers`, timeoutMs: 60_000 });
      await guerdon.end('SIGKILL');
      guerdon = await spawnGuerdon(env);
      clients = clientsOf(guerdon.grpcPort);
    }
    await load.done;
    expect(await balancesOf(database, 'xp')).toEqual(loadBalances(LOAD));
    await guerdon.end();
    await expectSound(database);
    await database.drop();
  }, 240_000);
});
