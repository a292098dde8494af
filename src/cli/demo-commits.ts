import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/** One line of the file: who changed how many files of which repository, and when (ISO 8601 with an offset). */
export interface Commit {
  commit: string;
  author: string;
  at: string;
  repo: string;
  files: number;
}

/** Reads a file of commits line by line, gzip or plain; fails with the number of the first line that is not one. */
export async function* readCommits(path: string): AsyncGenerator<Commit> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() !== '') yield parse(line, number);
  }
}

function parse(line: string, number: number): Commit {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON`);
  }
  const { commit, author, at, repo, files } = (value ?? {}) as Partial<Commit>;
  const texts = [commit, author, at, repo].every((text) => typeof text === 'string' && text !== '');
  if (!texts || !Number.isSafeInteger(files) || (files as number) < 0 || Number.isNaN(Date.parse(at as string))) {
    throw new Error(`line ${number} is not a commit: {"commit", "author", "at", "repo", "files"}`);
  }
  return value as Commit;
}

/** A short name for the content of a file. */
export async function fingerprint(path: string): Promise<string> {
  return hash('sha256', await readFile(path), 'hex').slice(0, 8);
}

export interface Expected {
  commits: number;
  files: number;
  xp: bigint;
  coins: bigint;
}

/** What the demo project's rules give for a file, computed from the file alone: 10 xp a commit, 5 coins for 20 files. */
export class Expectation {
  readonly byAuthor = new Map<string, Expected>();

  add({ author, files }: Commit): void {
    const { commits, files: before } = this.byAuthor.get(author) ?? { commits: 0, files: 0 };
    const total = before + files;
    this.byAuthor.set(author, {
      commits: commits + 1,
      files: total,
      xp: BigInt(commits + 1) * 10n,
      coins: BigInt(Math.floor(total / 20)) * 5n,
    });
  }
}
