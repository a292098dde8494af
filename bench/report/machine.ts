import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Databases } from '../databases.ts';
import type { Services } from '../services.ts';

/** Where and with what it was measured. */
export interface Machine {
  /** UTC. */
  date: string;
  /** Of the project; "+ changes" where the tree is not that commit. */
  commit: string;
  system: string;
  cpu: string;
  cores: number;
  /** Bytes. */
  memory: number;
  /** Processes that wanted to run in the minute before, the benchmark itself not included. */
  loadBefore: number;
  /** The same in the last minute of it. */
  loadAfter: number;
  node: string;
  postgres: string;
  postgresFrom: string;
  /** Settings that figures depend on, as the server has them. */
  settings: Record<string, string>;
  redis: string;
  redisFrom: string;
}

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'max_connections',
  'wal_level',
];

export async function describeMachine(services: Services, databases: Databases): Promise<Machine> {
  const { server_version: postgres = '?', ...settings } = await databases.settings([...SETTINGS, 'server_version']);
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    system: `${type()} ${release()}`,
    cpu: first?.model.trim() ?? '?',
    cores: cpus().length,
    memory: totalmem(),
    loadBefore: loadavg()[0] as number,
    loadAfter: Number.NaN,
    node: process.versions.node,
    postgres,
    postgresFrom: services.postgres,
    settings,
    redis: services.redisUrl === undefined ? 'none' : await redisVersion(services.redisUrl),
    redisFrom: services.redis,
  };
}

export function loadNow(): number {
  return loadavg()[0] as number;
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' });
    return (
      git('rev-parse', '--short=12', 'HEAD').trim() + (git('status', '--porcelain').trim() === '' ? '' : ' + changes')
    );
  } catch {
    return 'unknown (no git)';
  }
}

/** Asked with one line of its protocol; one that wants a password tells nothing. */
function redisVersion(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port || 6379), hostname, () => socket.write('INFO server\r\n'));
    let answer = '';
    const end = (): void => {
      socket.destroy();
      resolve(/(?:valkey|redis)_version:(\S+)/.exec(answer)?.[1] ?? 'unknown');
    };
    socket.on('data', (data) => {
      answer += data;
      if (/_version:\S+\r\n/.test(answer) || answer.startsWith('-')) end();
    });
    socket.once('error', end);
    socket.setTimeout(2_000, end);
  });
}
