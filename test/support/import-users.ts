import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDatabase } from './database.ts';
import { bareEnv } from './guerdon.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Told {
  line: number;
  user: string;
  outcome: 'imported' | 'same' | 'refused';
  reasons: string[];
  warnings: string[];
}

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
  /** What the report says of each row. */
  rows: Told[];
  /** How many rows had which outcome. */
  counts: Partial<Record<Told['outcome'], number>>;
}

export interface ImportRun {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Files and runs of `guerdon import-users` on one database. */
export class Imports {
  readonly #database: TestDatabase;
  readonly #dir: Promise<string>;
  #files = 0;

  constructor(database: TestDatabase) {
    this.#database = database;
    this.#dir = mkdtemp(join(tmpdir(), 'guerdon-import-'));
  }

  async file(extension: 'csv' | 'ndjson', content: string | Buffer): Promise<string> {
    const path = join(await this.#dir, `${++this.#files}.${extension}`);
    await writeFile(path, content);
    return path;
  }

  csv(rows: readonly Readonly<Record<string, string>>[]): Promise<string> {
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const cell = (text = '') => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return this.file(
      'csv',
      [columns, ...rows.map((row) => columns.map((name) => row[name]))]
        .map((row) => row.map(cell).join(','))
        .join('\n'),
    );
  }

  ndjson(rows: readonly object[]): Promise<string> {
    return this.file('ndjson', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async start(path: string, ...options: string[]): Promise<ImportRun> {
    const report = join(await this.#dir, `${++this.#files}.report`);
    const args = ['src/cli/guerdon.ts', 'import-users', path, '--report', report, ...options];
    const env = { ...bareEnv, DATABASE_URL: this.#database.url };
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = new Promise<Ended>((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => (stdout += chunk));
      child.stderr.on('data', (chunk) => (stderr += chunk));
      // It may end before it has read everything.
      child.stdin.on('error', () => {});
      child.on('error', reject);
      child.on('close', (status) => {
        const read = readFile(report, 'utf8').catch(() => '');
        read.then((text) => resolve({ status, stdout, stderr, ...toldBy(text) }), reject);
      });
    });
    if (path !== '-') child.stdin.end();
    return { child, ended };
  }

  async run(path: string, ...options: string[]): Promise<Ended> {
    return (await this.start(path, ...options)).ended;
  }

  async clear(): Promise<void> {
    await rm(await this.#dir, { recursive: true });
  }
}

function toldBy(report: string): Pick<Ended, 'rows' | 'counts'> {
  const rows: Told[] = report
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const counts: Ended['counts'] = {};
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { rows, counts };
}
