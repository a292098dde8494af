import { gzipSync } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { ImportFormat, ImportRowOutcome, ImportState } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { fileParts, finished, importFile, ndjson, rowsOf } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

type Parts = ReturnType<typeof fileParts>;
const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const lesson = (user: string, more: object = {}) => ({ metricKey: 'lessons', user: { id: user }, value: '1', ...more });

async function run(options: Parameters<typeof importFile>[1], file: Buffer | string) {
  const { id } = await importFile(guerdon, options, file);
  return finished(guerdon, id);
}

describe('an import', () => {
  it('of lines of JSON, packed, applies each row at its own instant, once however often the file is sent', async () => {
    const rows = times(2_500).map((index) =>
      lesson(`a${index % 40}`, { occurredAt: `2024-01-01T00:00:${String(index % 60).padStart(2, '0')}Z` }),
    );
    const file = gzipSync(ndjson(rows));
    const options = { name: 'lessons.ndjson.gz', format: ImportFormat.NDJSON };
    const first = await run(options, file);
    expect(first).toMatchObject({ state: ImportState.DONE, rows: 2_500n, applied: 2_500n, duplicate: 0n, refused: 0n });
    expect(first).toMatchObject({ name: 'lessons.ndjson.gz', lastLine: 2_500n });
    const again = await run(options, file);
    expect(again).toMatchObject({ rows: 2_500n, applied: 0n, duplicate: 2_500n, refused: 0n });
    const balances = await balancesOf(guerdon.database, 'xp');
    for (const user of times(40)) expect(balances[`a${user}`]).toBe(user < 20 ? 630 : 620);
    const listed = await rowsOf(guerdon, first.id);
    expect(listed.map(({ line }) => line)).toEqual(times(2_500).map((index) => BigInt(index + 1)));
    expect(new Set(listed.map(({ outcome }) => outcome))).toEqual(new Set([ImportRowOutcome.APPLIED]));
    const { event } = await guerdon.events.getEvent({ lookup: { case: 'eventId', value: listed[7]?.eventId ?? '' } });
    expect(event).toMatchObject({
      userId: 'a7',
      occurredAt: { seconds: BigInt(Date.UTC(2024, 0, 1, 0, 0, 7) / 1000) },
    });
    const repeated = await rowsOf(guerdon, again.id, ImportRowOutcome.DUPLICATE);
    expect(repeated.map(({ eventId }) => eventId)).toEqual(listed.map(({ eventId }) => eventId));
  });

  it('keeps the order of the file for each user', async () => {
    const rows = times(1_500).map((index) => lesson(`b${index % 3}`, { value: String(index + 1) }));
    await run({ format: ImportFormat.NDJSON }, ndjson(rows));
    const { rows: stored } = await guerdon.database.pool.query(`select u.external_id as user, array_agg(e.value::int
      order by e.seq) as values from events e join users u on u.id = e.user_id where u.external_id like 'b_' group by 1 order by 1`);
    for (const [user, { values }] of stored.entries()) {
      expect(values).toEqual(times(500).map((index) => index * 3 + user + 1));
    }
  });

  it('takes the rows of a user one after the other, wherever in the file they are', async () => {
    const { id } = await run(
      { format: ImportFormat.NDJSON },
      ndjson(times(300).map((index) => lesson(`u${index % 30}`))),
    );
    const { rows } = await guerdon.database.pool.query(
      `select event ->> 'user' as name, line::int from import_rows where import_id = $1 order by part, place`,
      [id],
    );
    const begins = rows.filter(({ name }, index) => name !== rows[index - 1]?.name);
    expect(begins).toHaveLength(30);
    expect(rows.every(({ name, line }, index) => name !== rows[index - 1]?.name || line > rows[index - 1].line)).toBe(
      true,
    );
  });

  it('tells of each row that it refused, by line, with the reason', async () => {
    const file = [
      JSON.stringify(lesson('c', { idempotencyKey: 'one' })),
      '',
      'nonsense',
      JSON.stringify(lesson('c', { value: 'x' })),
      JSON.stringify(lesson('c', { metricKey: 'naps' })),
      JSON.stringify(lesson('c', { idempotencyKey: 'one', value: '2' })),
      JSON.stringify(lesson('c', { idempotencyKey: 'one' })),
      JSON.stringify(lesson('c', { surprise: true })),
      JSON.stringify(lesson('c', { value: '999999999999999999' })),
      JSON.stringify(lesson('c', { user: { id: 'a\0b' } })),
      '\ufffd'.repeat(70_000),
      JSON.stringify(lesson('c', { idempotencyKey: 'two' })),
    ].join('\r\n');
    const done = await run({ format: ImportFormat.NDJSON }, file);
    expect(done).toMatchObject({ state: ImportState.DONE, rows: 11n, applied: 2n, duplicate: 1n, refused: 8n });
    const refused = await rowsOf(guerdon, done.id, ImportRowOutcome.REFUSED);
    expect(refused.map(({ line, refusal }) => [Number(line), refusal?.code, refusal?.message.slice(0, 40)])).toEqual([
      [3, Code.InvalidArgument, ': must be a SendEventRequest in JSON: Un'],
      [4, Code.InvalidArgument, 'value: must be a decimal like "1" or "-2'],
      [5, Code.InvalidArgument, 'metric_key: no metric "naps" in project '],
      [6, Code.AlreadyExists, 'idempotency_key: was used with other con'],
      [8, Code.InvalidArgument, ': must be a SendEventRequest in JSON: ca'],
      [9, Code.OutOfRange, expect.stringContaining('')],
      [10, Code.InvalidArgument, 'user.id: must have no NUL character and '],
      [11, Code.InvalidArgument, ': must have at most 65536 bytes'],
    ]);
    expect(refused[0]?.source).toBe('nonsense\r');
    const all = await rowsOf(guerdon, done.id);
    expect(all.map(({ line }) => Number(line))).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('of comma-separated values, with attributes, quotes and empty cells', async () => {
    const file = [
      'user,metric,value,attributes.repo,occurred_at,idempotency_key',
      '"d, first",commits,1,"a ""quoted"" name",2024-02-03T04:05:06Z,k1',
      'd,commits,1,,,',
      'd,commits,1,x,yesterday,',
      'd,commits,1',
    ].join('\n');
    const done = await run({ format: ImportFormat.CSV }, `\ufeff${file}\n`);
    expect(done).toMatchObject({ rows: 4n, applied: 2n, refused: 2n });
    const refused = await rowsOf(guerdon, done.id, ImportRowOutcome.REFUSED);
    expect(refused.map(({ line, refusal }) => [line, refusal?.message])).toEqual([
      [4n, 'occurred_at: must be an instant like "2026-01-31T09:30:00Z"'],
      [5n, ': must have as many values as the header'],
    ]);
    const key = { userId: 'd, first', metricKey: 'commits', idempotencyKey: 'k1' };
    const { event } = await guerdon.events.getEvent({ lookup: { case: 'key', value: key } });
    expect(event).toMatchObject({ attributes: { repo: 'a "quoted" name' }, value: '1' });
  });

  it('of messages', async () => {
    async function* parts() {
      yield { part: { case: 'options', value: { name: 'stream' } } } as const;
      for (const from of [0, 300, 600]) {
        const events = times(300).map((index) => lesson(`e${(from + index) % 9}`));
        yield { part: { case: 'rows', value: { events } } } as const;
      }
    }
    const first = (await guerdon.events.importEvents(parts())).import;
    expect(await finished(guerdon, first?.id ?? '')).toMatchObject({ rows: 900n, applied: 900n });
    const again = (await guerdon.events.importEvents(parts())).import;
    expect(await finished(guerdon, again?.id ?? '')).toMatchObject({ rows: 900n, duplicate: 900n });
  });

  it('of nothing is done at once', async () => {
    expect(await run({ format: ImportFormat.NDJSON }, '')).toMatchObject({ state: ImportState.DONE, rows: 0n });
  });
});

describe('an import that cannot be read', () => {
  it.each<[string, ImportFormat, Buffer]>([
    [
      'a packed file that is cut',
      ImportFormat.NDJSON,
      gzipSync(ndjson(times(3_000).map(() => lesson('f')))).subarray(0, 90),
    ],
    ['a header without a user', ImportFormat.CSV, Buffer.from('metric,value\nlessons,1\n')],
    ['a header with a column that is none', ImportFormat.CSV, Buffer.from('metric,user,value,shoe\nlessons,f,1,9\n')],
    ['a quote that is never closed', ImportFormat.CSV, Buffer.from('metric,user,value\nlessons,f,"1\n')],
  ])('%s: fails, and nothing of it is applied', async (_title, format, file) => {
    const importId = v7();
    const failure = await guerdon.events.importEvents(fileParts({ importId, format }, file)).catch(ConnectError.from);
    expect(failure).toMatchObject({ code: Code.InvalidArgument });
    const { import: found } = await guerdon.events.getImport({ id: importId });
    expect(found).toMatchObject({ state: ImportState.FAILED, applied: 0n });
    expect(found?.error).not.toBe('');
    expect((await balancesOf(guerdon.database, 'xp')).f).toBeUndefined();
  });

  it('rows before options, or of another kind than was said, are refused', async () => {
    async function* dataFirst(): Parts {
      yield { part: { case: 'data', value: Buffer.from('x') } };
    }
    async function* mixed(): Parts {
      yield { part: { case: 'options', value: { format: ImportFormat.NDJSON } } };
      yield { part: { case: 'rows', value: { events: [lesson('f')] } } };
    }
    for (const parts of [dataFirst(), mixed()]) {
      const failure = await guerdon.events.importEvents(parts).catch(ConnectError.from);
      expect(failure).toMatchObject({ code: Code.InvalidArgument });
    }
  });
});
