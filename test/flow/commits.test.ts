import { expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { expectBalances, readCommits, sendCommits } from '../support/commits.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

const ROWS = 3_000;

describeOnBackends('real commits through one API and two workers, each a process', (kind) => {
  it('end in the balances that the file gives, also after they are sent again', async () => {
    const database = await createDatabase();
    const api = await spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'api' }));
    const worker = () => spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'worker' }));
    const workers = await Promise.all([worker(), worker()]);
    const clients = clientsOf(api.grpcPort);
    const commits = readCommits(ROWS);
    expect(await sendCommits([clients], commits)).toBe(0);
    await expectBalances(database, commits);
    expect(await sendCommits([clients], commits)).toBe(commits.length * 2);
    await expectBalances(database, commits);
    await expectSound(database);
    await Promise.all([api, ...workers].map((guerdon) => guerdon.end()));
    await database.drop();
  }, 240_000);
});
