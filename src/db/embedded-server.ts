import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Places, serverEnv } from './embedded-places.ts';
import { codeOf, exists, holdsWithin, isPostgresOf, readPostmaster } from './embedded-process.ts';
import type { Programs } from './embedded-programs.ts';

export type Say = (message: string) => void;

/** The superuser and the database of every embedded PostgreSQL. */
export const guerdon = 'guerdon';

interface Server {
  child: ChildProcess;
  isGone(): boolean;
  /** Why it ended or could not start, with the end of what it wrote to its log. */
  lastWords(): string;
}

/** The address of a database of the server on this port, with its password. */
export function urlOf(places: Places, port: number, database = guerdon): string {
  const password = encodeURIComponent(readFileSync(places.password, 'utf8').trim());
  // Without sslmode, a PGSSLMODE in the environment would decide.
  return `postgresql://${guerdon}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

/** Starts a server on the data and waits until the database can be used; on failure nothing is left running. */
export async function launch(
  places: Places,
  programs: Programs,
  settings: Record<string, string>,
  wantedPort: number | undefined,
  say: Say,
): Promise<{ port: number; stop: () => Promise<void> }> {
  for (const begin = Date.now(); ; await sleep(200)) {
    const port = wantedPort || (await freePort());
    const server = spawnServer(places, programs, { ...settings, port: String(port) });
    // Our exit without stop() must not leave it behind; then nobody waits for it.
    const onExit = () => server.isGone() || send(programs, server.child.pid, 'SIGINT');
    process.once('exit', onExit);
    let isWanted = true;
    const stop = async () => {
      isWanted = false;
      await shutDown(programs, server.child.pid, server.isGone);
      process.off('exit', onExit);
    };
    try {
      await untilReady(places, port, server, say);
      server.child.unref();
      server.child.once('exit', () => isWanted && say(`PostgreSQL has ended by itself; see ${places.log}`));
      return { port, stop };
    } catch (error) {
      await stop();
      const { message } = error as Error;
      // Someone may have taken the free port, or busy sessions of a killed server have not yet noticed that it is gone.
      const isPassing =
        (!wantedPort && message.includes('Address already in use')) || message.includes('shared memory block');
      if (!isPassing || Date.now() - begin > 30_000) throw error;
    }
  }
}

/** Stops the server that a killed parent has left running on the data, if there is one. */
export async function stopOldServer({ dataDir }: Places, programs: Programs, say: Say): Promise<void> {
  const old = readPostmaster(dataDir);
  if (!old) return;
  const isGone = () => !isPostgresOf(dataDir, old.pid);
  if (!isGone()) {
    say(`stopping PostgreSQL (pid ${old.pid}), which a guerdon that was killed left running on ${dataDir}`);
    await shutDown(programs, old.pid, isGone);
  }
  // PostgreSQL would take whatever has this process id now for a server on its data.
  if (exists(old.pid)) rmSync(join(dataDir, 'postmaster.pid'), { force: true });
}

async function shutDown(programs: Programs, pid: number | undefined, isGone: () => boolean): Promise<void> {
  const steps: ['SIGINT' | 'SIGQUIT', number][] = [
    ['SIGINT', 60],
    ['SIGQUIT', 15],
  ];
  for (const [signal, seconds] of steps) {
    if (isGone()) return;
    send(programs, pid, signal);
    if (await holdsWithin(seconds, isGone)) return;
  }
  throw new Error(`PostgreSQL (pid ${pid}) does not stop`);
}

function send(programs: Programs, pid: number | undefined, signal: 'SIGINT' | 'SIGQUIT'): void {
  if (!pid) return;
  try {
    // Node on Windows knows no signal but the one that kills.
    if (process.platform === 'win32') spawnSync(programs('pg_ctl'), ['kill', signal.slice(3), String(pid)]);
    else process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function spawnServer(places: Places, programs: Programs, settings: Record<string, string>): Server {
  const { home, dataDir, log: file, user } = places;
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 16 << 20) renameSync(file, `${file}.old`);
  const log = openSync(file, 'a', 0o600);
  const begin = statSync(file).size;
  const args = ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  // Detached, so that Ctrl-C in a terminal reaches only us, who stop it in order.
  const how = { ...user, cwd: home, env: serverEnv, detached: true, windowsHide: true };
  const child = spawn(programs('postgres'), args, { ...how, stdio: ['ignore', log, log] });
  closeSync(log);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  return {
    child,
    isGone: () => failure !== undefined || child.exitCode !== null || child.signalCode !== null,
    lastWords() {
      const lines = readFileSync(file).subarray(begin).toString().trim().split('\n').slice(-15).join('\n');
      return `${failure?.message ?? `it ended with ${child.signalCode ?? child.exitCode}`}; last lines of ${file}:\n${lines}`;
    },
  };
}

async function untilReady(places: Places, port: number, server: Server, say: Say): Promise<void> {
  let isRecovering = false;
  for (const start = Date.now(); ; await sleep(25)) {
    if (server.isGone()) throw new Error(`PostgreSQL did not start: ${server.lastWords()}`);
    // Its own file tells that what listens on the port is this server.
    const state = readPostmaster(places.dataDir);
    const isUp = state?.pid === server.child.pid;
    if (isUp && state?.ready) return await openDatabase(places, port);
    const seconds = (Date.now() - start) / 1000;
    if (isUp && !isRecovering && seconds > 3) {
      isRecovering = true;
      say('PostgreSQL is recovering from a crash');
    }
    // After a crash it replays its log, and would begin again if ended in the middle.
    const limit = isRecovering ? 900 : 60;
    if (seconds > limit) throw new Error(`PostgreSQL was not ready within ${limit} s; see ${places.log}`);
  }
}

async function openDatabase(places: Places, port: number): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(places, port, 'postgres'), connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [guerdon]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${guerdon}`);
  } finally {
    await client.end().catch(() => {});
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
