import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CORES } from '../plan.ts';
import { pgbenchScript, type Statement } from './statements.ts';

/** Runs statements on a number of connections for some seconds; gives how often a second all of them were run. */
export interface SqlClient {
  /** What it is, in words. */
  name: string;
  run(databaseUrl: string, clients: number, seconds: number): Promise<number>;
}

const DEBIAN = '/usr/lib/postgresql';

/** pgbench, where there is one; else a client of our own. */
export function findSqlClient(statements: readonly Statement[], users: number): SqlClient {
  for (const path of ['pgbench', ...debianVersions()]) {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (stdout) return pgbench(path, stdout.trim(), pgbenchScript(statements, users));
  }
  return rawClient(statements, users);
}

function debianVersions(): string[] {
  try {
    const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN, version, 'bin', 'pgbench'));
  } catch {
    return [];
  }
}

function pgbench(path: string, name: string, script: string): SqlClient {
  return {
    name: `${name}, prepared statements`,
    async run(databaseUrl, clients, seconds) {
      const dir = await mkdtemp(join(tmpdir(), 'guerdon-pgbench-'));
      const file = join(dir, 'get-user-points.sql');
      try {
        await writeFile(file, script);
        const threads = String(Math.min(clients, CORES));
        const args = ['-n', '-M', 'prepared', '-f', file, '-c', String(clients), '-j', threads];
        const url = new URL(databaseUrl);
        // Others can read the arguments of a process.
        const env = { ...process.env, PGPASSWORD: decodeURIComponent(url.password) };
        url.password = '';
        const { stdout } = await promisify(execFile)(path, [...args, '-T', String(Math.ceil(seconds)), url.href], {
          env,
        });
        const tps = /tps = ([\d.]+) \(without/.exec(stdout)?.[1];
        if (tps === undefined) throw new Error(`pgbench told no rate:\n${stdout}`);
        return Number(tps);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

/** Slower than pgbench, being Node: the report says which one it was. */
export function rawClient(statements: readonly Statement[], users: number): SqlClient {
  return {
    name: 'own client (node-pg, prepared statements): there is no pgbench',
    async run(databaseUrl, clients, seconds) {
      const script = join(import.meta.dirname, 'raw.ts');
      const asked = JSON.stringify({ clients, seconds, users, statements });
      const env = { ...process.env, DATABASE_URL: databaseUrl };
      const { stdout } = await promisify(execFile)(process.execPath, [script, asked], { env });
      return Number(stdout);
    },
  };
}
