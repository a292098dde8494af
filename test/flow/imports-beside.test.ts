import { expect, it } from '@jest/globals';
import { ImportFormat, ImportRowOutcome, ImportState } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { environment, spawnGuerdon, startGuerdon } from '../support/guerdon.ts';
import { finished, importFile, ndjson, rowsOf } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';

it('an import is received while somebody waits for an event that nobody applies', async () => {
  const api = await startGuerdon('postgres', { GUERDON_ROLE: 'api' });
  const event = { metricKey: 'lessons', user: { id: 'waits' }, value: '1' };
  const call = api.events.sendEvent(event, { timeoutMs: 100_000 });
  // The last block is not full, the last slice of it neither, and some rows are none.
  const rows = Array.from({ length: 1_730 }, (_, row) => (row % 100 === 49 ? {} : { ...event, user: { id: 'row' } }));
  const stored = await importFile(api, { format: ImportFormat.NDJSON }, ndjson(rows));
  expect(stored).toMatchObject({ state: ImportState.APPLYING, rows: 1_730n, lastLine: 1_730n, refused: 17n });
  const worker = await spawnGuerdon(environment(api.database, 'postgres', { GUERDON_ROLE: 'worker' }));
  expect((await call).points.xp?.total).toBe(10n);
  expect(await finished(api, stored.id)).toMatchObject({ state: ImportState.DONE, applied: 1_713n, refused: 17n });
  expect(await balancesOf(api.database, 'xp')).toEqual({ waits: 10, row: 17_130 });
  const wrong = await rowsOf(api, stored.id, ImportRowOutcome.REFUSED);
  expect(wrong.map(({ line }) => Number(line))).toEqual(Array.from({ length: 17 }, (_, row) => row * 100 + 50));
  await worker.end();
  await expectSound(api.database);
  await api.close();
}, 120_000);
