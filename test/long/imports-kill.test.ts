import { expect, it } from '@jest/globals';
import { ImportFormat } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { describeOnBackends } from '../support/backends.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon } from '../support/guerdon.ts';
import { finished, importFile, ndjson } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const lesson = (user: string, more: object = {}) => ({ metricKey: 'lessons', user: { id: user }, value: '1', ...more });
const NDJSON = ImportFormat.NDJSON;

/** Lessons of 50 users, and what they give. */
const lessons = (count: number) => ndjson(times(count).map((index) => lesson(`u${index % 50}`)));
const given = (count: number) => Object.fromEntries(times(50).map((user) => [`u${user}`, (count / 50) * 10]));

describeOnBackends('an import whose workers are killed, twice', (kind) => {
  it('applies every row once', async () => {
    const ROWS = 4_000;
    const database = await createDatabase();
    const api = await spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'api' }));
    const worker = () => spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'worker' }));
    const clients = clientsOf(api.grpcPort);
    let one = await worker();
    const { id } = await importFile(clients, { format: NDJSON }, lessons(ROWS));
    const progress = async () => Number((await clients.events.getImport({ id })).import?.applied);
    for (const mark of [1, 1_500]) {
      await until(async () => (await progress()) >= mark, { what: `${mark} rows` });
      await one.end('SIGKILL');
      one = await worker();
    }
    expect(await finished(clients, id)).toMatchObject({ rows: BigInt(ROWS), applied: BigInt(ROWS), duplicate: 0n });
    expect(await balancesOf(database, 'xp')).toEqual(given(ROWS));
    await Promise.all([api.end(), one.end()]);
    await expectSound(database);
    await database.drop();
  }, 120_000);
});
