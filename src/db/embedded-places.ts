import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere } from './embedded-process.ts';

/** Whom PostgreSQL runs as; undefined means as ourselves. */
export type User = { uid: number; gid: number } | undefined;

/** Where the parts of one embedded PostgreSQL are. */
export interface Places {
  dir: string;
  /** Holds the data folder, and belongs to the user that PostgreSQL runs as. */
  home: string;
  dataDir: string;
  /** Names `home` when it is not below `dir`. */
  pointer: string;
  password: string;
  log: string;
  lock: string;
  user: User;
}

/** Little is handed on, since others can read the environment of a server that runs as nobody. */
export const serverEnv: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' };
for (const name of ['PATH', 'SystemRoot', 'TEMP', 'TMP']) if (process.env[name]) serverEnv[name] = process.env[name];

// What a statement has freed is kept for the next one: glibc would give it back to the system, page by page, each time.
Object.assign(serverEnv, { MALLOC_TRIM_THRESHOLD_: '67108864', MALLOC_MMAP_THRESHOLD_: '33554432' });

/** What user 65534 needs and cannot reach goes here. */
export const sharedDir = '/var/lib/guerdon';

export const isRoot = () => process.getuid?.() === 0;

/** Creates a folder if missing, with this mode whatever the umask is. */
export function makeDir(path: string, mode: number): void {
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode);
}

/** Finds where the data of an existing folder `dir` is or has to be; changes nothing. */
export function findPlaces(dir: string): Places {
  const real = realpathSync(dir);
  const pointer = join(real, 'postgres.location');
  const moved = readIfThere(pointer)?.trim();
  let home = moved ?? join(real, 'postgres');
  const user = ownerOf(home);
  if (moved && !existsSync(join(moved, 'data'))) {
    const way = `restore it, or remove ${pointer} to start empty`;
    throw new Error(`the data of ${dir} was kept in ${moved}, where it is no more; ${way}`);
  }
  if (!moved && user && !canEnter(real, user)) {
    const way = `user ${user.uid}, as whom PostgreSQL runs under root, cannot enter ${real}`;
    if (existsSync(home)) throw new Error(`${way}, where its data is; open the folders above it (chmod o+x)`);
    home = join(sharedDir, createHash('sha256').update(real).digest('hex').slice(0, 16));
  }
  const file = (name: string) => join(real, name);
  const names = { password: file('postgres.password'), log: file('postgres.log'), lock: file('guerdon.lock') };
  return { dir: real, home, dataDir: join(home, 'data'), pointer, user, ...names };
}

/** PostgreSQL refuses to run as root: then it runs as the owner of its data, or as nobody. */
function ownerOf(home: string): User {
  const owner = statSync(home, { throwIfNoEntry: false });
  if (isRoot()) return owner?.uid ? { uid: owner.uid, gid: owner.gid } : { uid: 65534, gid: 65534 };
  if (owner && process.getuid && owner.uid !== process.getuid()) {
    throw new Error(`${home} belongs to user ${owner.uid}: start as that user or as root, or set GUERDON_DATA_DIR`);
  }
  return undefined;
}

/** Whether the user may enter the folder, and so all the folders above it. */
export function canEnter(dir: string, user: User): boolean {
  return !user || spawnSync('/bin/sh', ['-c', 'test -x "$0"', dir], { ...user, cwd: '/' }).status === 0;
}

/** Makes the home of the data and gives it to the user that PostgreSQL runs as. */
export function makeHome({ home, dataDir, user }: Places): void {
  if (user && dirname(home) === sharedDir) makeDir(sharedDir, 0o755);
  makeDir(home, 0o700);
  if (!user) return;
  for (const path of [home, dataDir]) {
    if (existsSync(path) && lstatSync(path).uid === 0) giveAway(path, user.uid, user.gid);
  }
  if (!canEnter(home, user))
    throw new Error(`user ${user.uid} cannot enter ${home}; open the folders above it (chmod o+x)`);
}

function giveAway(path: string, uid: number, gid: number): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name), uid, gid);
  lchownSync(path, uid, gid);
}
