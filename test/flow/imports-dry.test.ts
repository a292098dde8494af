import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Import, ImportFormat } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { finished, importFile, ndjson, rowsOf } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const lesson = (user: string, more: object = {}) => ({ metricKey: 'lessons', user: { id: user }, value: '1', ...more });

async function run(options: Parameters<typeof importFile>[1], file: Buffer | string) {
  const { id } = await importFile(guerdon, options, file);
  return finished(guerdon, id);
}

const counts = ({ rows, applied, duplicate, refused }: Import) => ({ rows, applied, duplicate, refused });
const told = async (id: string) =>
  (await rowsOf(guerdon, id)).map(({ line, outcome, refusal }) => [line, outcome, refusal?.code]);

describe('a dry run', () => {
  it('tells what the import then tells, and applies nothing', async () => {
    await guerdon.events.sendEvent({ ...lesson('g1'), idempotencyKey: 'there' });
    const rows = times(3_000).map((index) =>
      lesson(`g${index % 7}`, {
        ...(index % 11 === 0 && { idempotencyKey: `k${index % 22}` }),
        ...(index % 500 === 0 && { idempotencyKey: 'there' }),
        ...(index % 100 === 3 && { value: '999999999999999000' }),
        ...(index % 100 === 5 && { value: '-999999999999999999' }),
        ...(index % 333 === 0 && { metricKey: 'naps' }),
        occurredAt:
          index % 500 === 0 ? undefined : new Date(Date.UTC(2024, 0, 1 + (index % 11 && index % 90))).toISOString(),
      }),
    );
    const before = await balancesOf(guerdon.database, 'xp');
    const dry = await run({ format: ImportFormat.NDJSON, dryRun: true }, ndjson(rows));
    expect(await balancesOf(guerdon.database, 'xp')).toEqual(before);
    const { rows: events } = await guerdon.database.pool.query(
      `select count(*)::int from events e join users u on u.id = e.user_id where u.external_id like 'g_'`,
    );
    expect(events).toEqual([{ count: 1 }]);
    const wet = await run({ format: ImportFormat.NDJSON }, ndjson(rows));
    expect(counts(dry)).toEqual(counts(wet));
    expect(dry.refused).toBeGreaterThan(20n);
    expect(dry.duplicate).toBeGreaterThan(20n);
    expect(await told(dry.id)).toEqual(await told(wet.id));
  });

  it('knows what the rows before would have done: streaks, levels, achievements, limits and the clock', async () => {
    const example = await readFile(new URL('../../docs/examples/economy.yaml', import.meta.url), 'utf8');
    const file = example.replace('onFloor: clamp', 'onFloor: refuse');
    expect(file).not.toBe(example);
    await guerdon.admin.applyEconomy({ file, allowStranding: true });
    const start = Date.UTC(2024, 0, 1);
    const rows = times(3_000).map((index) => {
      const metricKey = index % 5 < 2 ? 'mistakes' : 'lessons';
      const occurredAt = new Date(start + index * 7_200_000).toISOString();
      return lesson(index % 4 === 0 ? `h${index % 40}` : 'hot', { metricKey, occurredAt });
    });
    const dry = await run({ format: ImportFormat.NDJSON, dryRun: true }, ndjson(rows));
    const wet = await run({ format: ImportFormat.NDJSON }, ndjson(rows));
    expect(counts(dry)).toEqual(counts(wet));
    expect(wet.refused).toBeGreaterThan(500n);
    expect(wet.applied).toBeGreaterThan(500n);
    expect(await told(dry.id)).toEqual(await told(wet.id));
  });
});
