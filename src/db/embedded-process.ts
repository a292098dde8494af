import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What PostgreSQL says of itself in the `postmaster.pid` of its data folder. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/** The text of a file, undefined when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** Asks until it holds; false when it did not within `seconds`. */
export async function holdsWithin(seconds: number, holds: () => boolean): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) if (holds()) return true;
  return holds();
}

/**
 * Takes the lock file for this process and returns what gives it back; throws, naming the owner, while its owner lives.
 * An owner is a process id with its start time, so that a reused id is not taken for it.
 */
export function takeLock(file: string, dir: string): () => void {
  const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid), token: randomUUID() });
  const mine = `${file}.${randomUUID()}`;
  // A hard link creates as atomically as 'wx' and never shows a half-written file.
  writeFileSync(mine, text, { flag: 'wx' });
  try {
    while (!linked(mine, file)) {
      const held = readIfThere(file);
      if (held === undefined) continue;
      const pid = livingOwner(held);
      if (pid) throw new Error(`another guerdon (pid ${pid}) is using ${dir}; stop it, or set GUERDON_DATA_DIR`);
      // Only the holder of the lock named after a dead one may replace it, and only while it is still that one.
      const giveBackTurn = takeLock(
        `${file}.after-${createHash('sha256').update(held).digest('hex').slice(0, 16)}`,
        dir,
      );
      try {
        if (readIfThere(file) !== held) continue;
        renameSync(mine, file);
        break;
      } finally {
        giveBackTurn();
      }
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (readIfThere(file) === text) rmSync(file, { force: true });
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function livingOwner(text: string): number | undefined {
  try {
    const { pid, started } = JSON.parse(text) as { pid: number; started: string };
    const now = startOf(pid);
    return now === undefined || (now && started && now !== started) ? undefined : pid;
  } catch {
    return undefined; // cut short by a power failure: whoever wrote it is gone
  }
}

/** When the process started, in the words of its system; '' when that cannot be told, undefined when it is not alive. */
function startOf(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  const stat = tryText(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) {
    if (process.platform === 'linux' || process.platform === 'win32') return '';
    return tryText(() => ps(pid, 'lstart')) ?? '';
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = tryText(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? '';
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot.trim()}/${fields[19]}`;
}

/** Whether a process has this id, even one that has ended and was not yet waited for. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** The server that `postmaster.pid` of the data folder names, whether or not it still runs. */
export function readPostmaster(dataDir: string): Postmaster | undefined {
  const lines = readIfThere(join(dataDir, 'postmaster.pid'))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!lines || !Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/** Whether the process is a PostgreSQL server of this data folder, and not another that got its process id. */
export function isPostgresOf(dataDir: string, pid: number): boolean {
  if (!exists(pid)) return false;
  if (process.platform !== 'linux') {
    const line = tryText(() => (process.platform === 'win32' ? windowsCommand(pid) : ps(pid, 'command'))) ?? '';
    return line.includes('postgres') && line.includes(dataDir);
  }
  const words = (tryText(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0');
  if (basename(words[0] ?? '') !== 'postgres') return false;
  // The working folder is right even after the data was moved, but a container may hide it.
  const folder = tryText(() => readlinkSync(`/proc/${pid}/cwd`));
  return folder === undefined ? words.includes(dataDir) : folder === dataDir;
}

function ps(pid: number, what: string): string {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return execFileSync('ps', ['-ww', '-o', `${what}=`, '-p', String(pid)], { encoding: 'utf8', env }).trim();
}

function windowsCommand(pid: number): string {
  const query = `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
  return execFileSync('powershell', ['-NoProfile', '-Command', query], { encoding: 'utf8', windowsHide: true });
}

function tryText(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
