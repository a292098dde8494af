import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chownSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findPlaces, makeDir, makeHome, type Places, serverEnv } from './embedded-places.ts';
import { isPostgresOf, readIfThere, readPostmaster, takeLock } from './embedded-process.ts';
import { findPrograms, type Programs } from './embedded-programs.ts';
import { guerdon, launch, stopOldServer, urlOf } from './embedded-server.ts';

/** A PostgreSQL server that this process started and owns. */
export interface EmbeddedPostgres {
  url: string;
  port: number;
  dataDir: string;
  /** Ends it in order, and frees the folder; may be called again. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Everything is kept below this folder, e.g. /abs/.guerdon. */
  dir: string;
  /** Default true; false gives up safety against a crash of the machine for speed (tests). */
  durable?: boolean;
  /** Default: any free port. */
  port?: number;
  /** PostgreSQL settings, which win over ours. */
  settings?: Record<string, string>;
  /** Hears what a person may want to know. */
  say?: (message: string) => void;
}

const BUFFERS_MIN_MB = 512;
const BUFFERS_MAX_MB = 4096;

const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: sharedBuffers(),
  max_wal_size: '4GB',
  synchronous_commit: 'on',
  max_connections: '200',
  timezone: 'UTC',
  lc_messages: 'C',
};

/**
 * A quarter of the memory of this machine or container, as PostgreSQL's manual advises: an event touches a dozen pages of its
 * user, wherever they are. Memory is taken only as it fills, but for what tells of each page, hence a bound.
 */
function sharedBuffers(): string {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const quarter = memory / 4 / 2 ** 20;
  return `${Math.round(Math.min(BUFFERS_MAX_MB, Math.max(BUFFERS_MIN_MB, quarter)))}MB`;
}

const careless = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** Starts the PostgreSQL of the folder, making its data first if need be; refuses while another process uses the folder. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { dir, durable = true, say = () => {} } = options;
  makeDir(dir, 0o755);
  const places = findPlaces(dir);
  const locks = [takeLock(places.lock, dir)];
  const unlock = () => {
    for (const giveBack of locks.splice(0)) giveBack();
  };
  try {
    const programs = findPrograms(places.dir, places.user);
    makeHome(places);
    if (isElsewhere(places)) {
      // A copy of `dir` names the same data, which needs a lock of its own.
      locks.push(takeLock(join(places.home, 'guerdon.lock'), places.home));
      const why = `user ${places.user?.uid}, as whom PostgreSQL runs, could not enter ${dir}`;
      say(`the data of ${dir} is in ${places.home}, since ${why}`);
    }
    await stopOldServer(places, programs, say);
    if (!existsSync(join(places.dataDir, 'PG_VERSION'))) await makeData(places, programs, durable);
    const settings = { ...defaults, ...(durable ? {} : careless), ...options.settings };
    const server = await launch(places, programs, settings, options.port, say);
    let ended: Promise<void> | undefined;
    const stop = () => {
      ended ??= server.stop().then(unlock);
      return ended;
    };
    return { url: urlOf(places, server.port), port: server.port, dataDir: places.dataDir, stop };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The address and process id of the live PostgreSQL server of the folder, once it takes connections. */
export async function runningEmbeddedPostgres(dir: string): Promise<{ url: string; pid: number } | undefined> {
  if (!existsSync(dir)) return undefined;
  const places = findPlaces(dir);
  const server = readPostmaster(places.dataDir);
  if (!server?.ready || !isPostgresOf(places.dataDir, server.pid)) return undefined;
  return { url: urlOf(places, server.port), pid: server.pid };
}

function isElsewhere({ dir, home }: Places): boolean {
  return dirname(home) !== dir;
}

/** Makes the data under another name first, so that what was cut short is never taken for data. */
async function makeData(places: Places, programs: Programs, durable: boolean): Promise<void> {
  const { home, dataDir, user } = places;
  if (existsSync(dataDir)) throw new Error(`${dataDir} holds no PostgreSQL data; move it away to start empty`);
  for (const left of readdirSync(home).filter((name) => name.startsWith('new-'))) {
    rmSync(join(home, left), { recursive: true, force: true });
  }
  const fresh = join(home, `new-${randomUUID()}`);
  const secret = `${fresh}.password`;
  const password = readIfThere(places.password)?.trim() || randomBytes(24).toString('base64url');
  writeFileSync(places.password, `${password}\n`, { mode: 0o600, flush: true });
  writeFileSync(secret, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (user) chownSync(secret, user.uid, user.gid);
  const args = ['-D', fresh, '-U', guerdon, '-A', 'scram-sha-256', '--pwfile', secret, '-E', 'UTF8', '--locale=C'];
  args.push(
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  );
  try {
    await promisify(execFile)(programs('initdb'), args, { ...user, cwd: home, env: serverEnv, windowsHide: true });
    renameSync(fresh, dataDir);
    if (isElsewhere(places)) writeFileSync(places.pointer, `${home}\n`, { flush: true });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`PostgreSQL's data could not be made in ${home}: ${stderr?.trim() || message}`, { cause: error });
  } finally {
    for (const left of [fresh, secret]) rmSync(left, { recursive: true, force: true });
  }
}
