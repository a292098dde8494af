import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Child, startChild } from './child.ts';
import { KEY } from './databases.ts';
import type { Usage } from './meter.ts';
import type { ServerName } from './plan.ts';

/** A server that is measured, in one process or several. */
export interface Server {
  name: ServerName;
  /** Ports of its gRPC: one, or by the size of the pool behind it. */
  ports: Readonly<Record<number, number>>;
  processes: readonly { role: string; child: Child }[];
}

/** As they are called in tables. */
export const TITLES: Readonly<Record<ServerName, string>> = {
  empty: 'empty handler (a)',
  textbook: 'textbook (b)',
  'guerdon-redis': 'Guerdon, queue on Redis',
  'guerdon-postgres': 'Guerdon, queue on PostgreSQL',
  'guerdon-split': 'Guerdon, queue on Redis, api + worker',
};

export async function startEmpty(): Promise<Server> {
  return startBaseline('empty', {});
}

export async function startTextbook(databaseUrl: string, pools: readonly number[]): Promise<Server> {
  return startBaseline('textbook', { DATABASE_URL: databaseUrl, POOLS: pools.join(',') });
}

async function startBaseline(name: 'empty' | 'textbook', env: Record<string, string>): Promise<Server> {
  const child = await startChild({ script: `bench/baseline/${name}.ts`, env, ready: /^ready .*\n/m });
  const ports = JSON.parse(/^ready (.*)\n/m.exec(child.output())?.[1] as string);
  return { name, ports, processes: [{ role: 'all', child }] };
}

export interface GuerdonOptions {
  databaseUrl: string;
  /** Undefined: the queue is in PostgreSQL. */
  redisUrl: string | undefined;
  /** Whether API and worker are processes of their own. */
  split?: boolean;
  /** Folder for CPU profiles. */
  profiles?: string | undefined;
}

export async function startGuerdon(name: ServerName, options: GuerdonOptions): Promise<Server> {
  const processes: { role: string; child: Child }[] = [];
  for (const role of options.split ? ['api', 'worker'] : ['all']) {
    processes.push({ role, child: await startRole(role, name, options) });
  }
  const port = Number(/grpc +localhost:(\d+)/.exec((processes[0] as { child: Child }).child.output())?.[1]);
  return { name, ports: { 0: port }, processes };
}

function startRole(role: string, name: ServerName, options: GuerdonOptions): Promise<Child> {
  const { databaseUrl, redisUrl, profiles } = options;
  return startChild({
    script: role === 'worker' ? 'workers/main.ts' : 'src/main.ts',
    env: {
      DATABASE_URL: databaseUrl,
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
      GUERDON_ROLE: role,
      ...(role === 'api' && { NODE_OPTIONS: apiOptions() }),
      GUERDON_HTTP_PORT: '0',
      GUERDON_GRPC_PORT: '0',
      GUERDON_ADMIN_KEY: KEY,
    },
    ready: /Guerdon is ready/,
    node: profiles === undefined ? [] : profiling(profiles, `${name}-${role}`),
  });
}

/** Those of an API process by itself, as docker-compose.yml has them. */
function apiOptions(): string {
  const { services } = parse(readFileSync(join(import.meta.dirname, '../docker-compose.yml'), 'utf8'), { merge: true });
  return services.api.environment.NODE_OPTIONS;
}

let profiled = 0;

function profiling(folder: string, name: string): string[] {
  profiled += 1;
  return ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-name', `${profiled}-${name}.cpuprofile`];
}

/** What all processes of a server have used together since they were last asked. */
export async function usageOf(server: Server): Promise<Usage> {
  const all = await Promise.all(server.processes.map(({ child }) => child.usage()));
  const sum = (part: keyof Usage): number => all.reduce((total, usage) => total + usage[part], 0);
  return { rss: sum('rss'), heap: sum('heap'), cpu: sum('cpu') };
}

export async function endServer(server: Server): Promise<void> {
  // The API first, so that nothing it waits for ends before it.
  for (const { child } of server.processes) await child.end();
}
