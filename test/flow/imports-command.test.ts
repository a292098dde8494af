import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { bareEnv, KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { ndjson } from '../support/imports.ts';
import { balancesOf } from '../support/ledger.ts';

const ROOT = join(import.meta.dirname, '../..');
let guerdon: TestGuerdon;
let dir: string;
beforeAll(async () => {
  guerdon = await startGuerdon();
  dir = await mkdtemp(join(tmpdir(), 'guerdon-import-'));
});
afterAll(async () => {
  await guerdon.close();
  await rm(dir, { recursive: true });
});

async function importEvents(...args: string[]): Promise<{ code: number; output: string }> {
  const server = ['--server', `127.0.0.1:${guerdon.grpcPort}`, '--key', KEY];
  const run = promisify(execFile)(process.execPath, ['src/cli/guerdon.ts', 'import-events', ...args, ...server], {
    cwd: ROOT,
    env: bareEnv,
  });
  return run.then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error) => ({ code: error.code, output: `${error.stdout}${error.stderr}` }),
  );
}

it('the command imports a file, tells what came of it, and writes what was refused', async () => {
  const rows = Array.from({ length: 1_200 }, (_, index) => ({
    metricKey: index % 100 === 7 ? 'naps' : 'lessons',
    user: { id: `u${index % 3}` },
    value: '1',
  }));
  const file = join(dir, 'lessons.ndjson.gz');
  await writeFile(file, gzipSync(ndjson(rows)));
  const dry = await importEvents(file, '--dry-run');
  expect(dry.output).toContain('done: 1200 rows, 1188 applied, 0 duplicates, 12 refused');
  expect(await balancesOf(guerdon.database, 'xp')).toEqual({});
  const refused = join(dir, 'refused.ndjson');
  const first = await importEvents(file, '--refused', refused);
  expect(first.code).toBe(1);
  expect(first.output).toContain('done: 1200 rows, 1188 applied, 0 duplicates, 12 refused');
  expect(first.output).toContain('line 8: metric_key: no metric "naps" in project demo');
  const lines = (await readFile(refused, 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(12);
  expect(JSON.parse(lines[1] as string)).toMatchObject({ line: 108, reason: expect.stringContaining('naps') });
  const again = await importEvents(file);
  expect(again.output).toContain('done: 1200 rows, 0 applied, 1188 duplicates, 12 refused');
  expect(await balancesOf(guerdon.database, 'xp')).toEqual({ u0: 3960, u1: 3960, u2: 3960 });
});

it('the command says what is wrong, and how to go on', async () => {
  const file = join(dir, 'lessons.csv');
  await writeFile(file, 'metric,value\nlessons,1\n');
  const wrong = await importEvents(file);
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain('data: the header has no "user"');
  const unnamed = join(dir, 'lessons');
  await writeFile(unnamed, 'metric,user,value\nlessons,z,1\n');
  expect((await importEvents(unnamed)).output).toContain('--format');
  expect((await importEvents(unnamed, '--format', 'csv')).output).toContain('done: 1 rows, 1 applied');
});
