import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { ImportFormat, ImportState } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, spawnGuerdon } from '../support/guerdon.ts';
import { fileParts, finished } from '../support/imports.ts';
import { expectSound } from '../support/ledger.ts';

const SMALL = 100_000;
const LARGE = Number(process.env.GUERDON_IMPORT_ROWS ?? 1_000_000);
const USERS = 20_000;
const CHUNK = 500;

/** Few users have most of the rows. */
function row(index: number, name: string) {
  const random = Math.imul(index + 1, 2_654_435_761) >>> 0;
  const user = Math.floor(USERS * (random / 2 ** 32) ** 3);
  const files = (random % 40) + 1;
  return { name: `${name}${user}`, commit: index % 3 !== 0, files, second: index };
}

/** The bytes of the file, and meanwhile what its rows are to give: 10 xp a commit, 5 coins for every 20 files. */
async function* file(count: number, name: string, counted: Map<string, [commits: number, files: number]>) {
  for (let start = 0; start < count; start += CHUNK) {
    let text = '';
    for (let index = start; index < Math.min(count, start + CHUNK); index += 1) {
      const { name: id, commit, files, second } = row(index, name);
      const own = counted.get(id) ?? [0, 0];
      counted.set(id, commit ? [own[0] + 1, own[1]] : [own[0], own[1] + files]);
      const occurredAt = new Date(1_700_000_000_000 + second * 1_000).toISOString();
      const counts = commit ? { metricKey: 'commits', value: '1' } : { metricKey: 'files', value: String(files) };
      text += `${JSON.stringify({ ...counts, user: { id }, occurredAt, attributes: { repo: 'r' } })}\n`;
    }
    yield Buffer.from(text);
  }
}

function memory(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
}

it('a million rows: every total is that of the file, and the process that takes them does not grow with them', async () => {
  const database = await createDatabase();
  // Without a bound V8 lets garbage lie for as long as there is memory.
  const bounds = { NODE_OPTIONS: '--max-old-space-size=100 --max-semi-space-size=4' };
  const api = await spawnGuerdon(environment(database, 'postgres', { GUERDON_ROLE: 'api', ...bounds }));
  const worker = await spawnGuerdon(environment(database, 'postgres', { GUERDON_ROLE: 'worker' }));
  const { events } = clientsOf(api.grpcPort);
  const counted = new Map<string, [number, number]>();
  const run = async (count: number, name: string) => {
    async function* parts() {
      yield* fileParts({ name, format: ImportFormat.NDJSON }, Buffer.alloc(0));
      for await (const data of file(count, name, counted)) yield { part: { case: 'data', value: data } } as const;
    }
    const began = performance.now();
    const { import: stored } = await events.importEvents(parts());
    const storedIn = performance.now() - began;
    const done = await finished({ events }, stored?.id ?? '', 3_000_000);
    expect(done).toMatchObject({ state: ImportState.DONE, rows: BigInt(count), applied: BigInt(count) });
    const [resident, highest] = [memory(api.child.pid, 'VmRSS'), memory(api.child.pid, 'VmHWM')];
    const rates = { stored: Math.round(count / (storedIn / 1_000)), applied: Number(done.rowsPerSecond) };
    process.stdout.write(`import: ${JSON.stringify({ count, rates, resident, highest })}\n`);
    return highest;
  };
  const small = await run(SMALL, 's');
  const large = await run(LARGE, 'l');
  if (process.platform === 'linux') expect(large - small).toBeLessThan(40);

  const { rows } = await database.pool.query(
    `select u.external_id as user, coalesce(sum(a.balance) filter (where s.key = 'xp'), 0)::int as xp,
      coalesce(sum(a.balance) filter (where s.key = 'coins'), 0)::int as coins
    from users u left join accounts a on a.user_id = u.id left join points_systems s on s.id = a.system_id group by 1`,
  );
  const expected = [...counted].map(([user, [commits, files]]) => [user, [commits * 10, Math.floor(files / 20) * 5]]);
  expect(Object.fromEntries(rows.map((row) => [row.user, [row.xp, row.coins]]))).toEqual(Object.fromEntries(expected));
  await Promise.all([api.end(), worker.end()]);
  await expectSound(database);
  await database.drop();
}, 3_600_000);
