import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, type Case, loadSpec, median, tryOut } from '../bench.ts';
import { ENVIRONMENT } from '../child.ts';
import { usersOf } from '../fill.ts';
import type { LoadResult } from '../load/spec.ts';
import type { Usage } from '../meter.ts';
import { endServer, type Server, startGuerdon } from '../servers.ts';
import { copyIn, copyOut, type Dump, lastUser } from './copy.ts';
import { writeEvents } from './file.ts';
import type { ImportResult } from './result.ts';

/** Events a second that are sent beside an import, and before it. */
const BESIDE = 50;

interface Imported {
  rows: number;
  /** Milliseconds from the first message until all rows were stored, and until all were applied. */
  stored: number;
  applied: number;
}

/** An import into a Guerdon of an API process and a worker, and COPY of what it left; then another one beside SendEvent. */
export async function measureImport(bench: Bench): Promise<ImportResult> {
  const dir = await mkdtemp(join(tmpdir(), 'guerdon-import-'));
  const databaseUrl = await bench.databases.copy(bench.filled);
  const { redisUrl } = bench.services;
  const server = await startGuerdon('guerdon-split', {
    databaseUrl,
    redisUrl,
    split: true,
    profiles: bench.plan.profiles,
  });
  try {
    const rates: number[] = [];
    const copies: number[] = [];
    const peaks = { api: { rss: 0, heap: 0 }, worker: { rss: 0, heap: 0 } };
    let dump: Dump = { dir, rows: {} };
    const idle = await alone(bench, server, bench.plan.idleSeconds);
    for (let turn = 1; turn <= bench.plan.imports; turn += 1) {
      const before = await lastUser(databaseUrl);
      const imported = await importFile(bench, server, dir, `import${turn}`, peaks);
      rates.push(perSecond(imported));
      dump = await copyOut(databaseUrl, dir, before);
      copies.push(await copyOnce(bench, dump));
      bench.say(`  import ${rates.at(-1)?.toFixed(0)} rows/s, COPY ${copies.at(-1)?.toFixed(0)} rows/s`);
    }
    const during = await duringImport(bench, server, () => importFile(bench, server, dir, 'beside', peaks));
    bench.say(`  SendEvent p99 ${idle.p99.toFixed(1)} ms idle, ${during.p99.toFixed(1)} ms during an import`);
    return {
      rows: bench.plan.rows,
      perSecond: median(rates),
      copyPerSecond: median(copies),
      ratio: median(rates) / median(copies),
      finalRows: dump.rows,
      p50Idle: idle.p50,
      p50During: during.p50,
      p99Idle: idle.p99,
      p99During: during.p99,
      p99Ratio: during.p99 / idle.p99,
      beside: BESIDE,
      ...{ apiRss: peaks.api.rss, apiHeap: peaks.api.heap, workerRss: peaks.worker.rss, workerHeap: peaks.worker.heap },
    };
  } finally {
    await endServer(server);
    await rm(dir, { recursive: true, force: true });
  }
}

function perSecond({ rows, applied }: Imported): number {
  return (rows * 1000) / applied;
}

type Peaks = Record<string, Pick<Usage, 'rss' | 'heap'>>;

/** Sends a file of its own, and keeps the highest that each process has needed meanwhile. */
async function importFile(bench: Bench, server: Server, dir: string, prefix: string, peaks: Peaks): Promise<Imported> {
  const path = join(dir, `${prefix}.ndjson`);
  await writeEvents(path, bench.plan.rows, prefix);
  for (const { child } of server.processes) await child.usage();
  const script = join(import.meta.dirname, 'send.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(server.ports[0]), path], {
    env: ENVIRONMENT,
  });
  for (const { role, child } of server.processes) {
    const { rss, heap } = await child.usage();
    const peak = peaks[role] as Peaks[string];
    peak.rss = Math.max(peak.rss, rss);
    peak.heap = Math.max(peak.heap, heap);
  }
  await rm(path);
  return JSON.parse(/^import (.*)$/m.exec(stdout)?.[1] as string);
}

/** What was imported, brought in by COPY where the import began. Gives rows of the import a second. */
async function copyOnce({ databases, filled, plan }: Bench, dump: Dump): Promise<number> {
  const databaseUrl = await databases.copy(filled);
  const seconds = await copyIn(databaseUrl, dump);
  await databases.drop(databaseUrl);
  return plan.rows / seconds;
}

function beside(bench: Bench): Case {
  return {
    call: 'SendEvent',
    shape: { kind: 'open', perSecond: BESIDE },
    users: { kind: 'uniform', count: usersOf(bench.plan.entries) },
  };
}

/** SendEvent at its low rate for so many seconds. */
async function alone(bench: Bench, server: Server, seconds: number): Promise<LoadResult> {
  const port = server.ports[0] as number;
  await tryOut(bench, beside(bench), port, Math.min(2, seconds));
  return bench.load.measure(loadSpec(beside(bench), port, { warmupMs: 0, measureMs: seconds * 1000 }));
}

/** The same for as long as an import takes. */
async function duringImport(bench: Bench, server: Server, run: () => Promise<unknown>): Promise<LoadResult> {
  const port = server.ports[0] as number;
  const spec = loadSpec(beside(bench), port, { warmupMs: 0, measureMs: Number.POSITIVE_INFINITY });
  const load = bench.load.measure(spec);
  await run();
  bench.load.stop();
  const result = await load;
  if (result.failed > 0) bench.say(`!!! ${result.failed} calls failed during the import: ${result.failure}`);
  return result;
}
