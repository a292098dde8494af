import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect } from '@jest/globals';
import { DateTime } from 'luxon';
import type { BackendKind } from './backends.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { type Clients, clientsOf, environment, spawnGuerdon } from './guerdon.ts';
import { expectSound } from './ledger.ts';

export interface Commit {
  commit: string;
  author: string;
  at: string;
  repo: string;
  files: number;
}

const ROOT = join(import.meta.dirname, '../..');
/** The whole file lies beside a checkout; the sample is part of it. */
const WHOLE = join(ROOT, '../shared/data/commits.ndjson.gz');
const SAMPLE = join(ROOT, 'src/cli/demo-commits.ndjson');

/** Real commits, the first `limit` of the whole file where it is there, else of the sample. */
export function readCommits(limit = Number.POSITIVE_INFINITY): Commit[] {
  if (!existsSync(WHOLE)) process.stderr.write(`\nNOT THERE: ${WHOLE}; the sample of 1,000 commits is used instead\n`);
  const text = existsSync(WHOLE) ? gunzipSync(readFileSync(WHOLE)).toString() : readFileSync(SAMPLE, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.slice(0, limit).map((line) => JSON.parse(line) as Commit);
}

/** Two events a commit, each at the commit's own time, so many calls in flight; gives the number of replays. */
export async function sendCommits(clients: Clients, commits: readonly Commit[], inFlight = 64): Promise<number> {
  let next = 0;
  let replays = 0;
  const send = async (index: number): Promise<void> => {
    const { commit, author, at, repo, files } = commits[index >> 1] as Commit;
    const counted =
      index % 2 === 0 ? { metricKey: 'commits', value: '1' } : { metricKey: 'files', value: String(files) };
    const answer = await clients.events.sendEvent({
      ...counted,
      user: { id: author },
      attributes: { repo },
      idempotencyKey: commit,
      occurredAt: timestampFromMs(DateTime.fromISO(at).toMillis()),
    });
    if (answer.idempotentReplayed) replays += 1;
  };
  const worker = async (): Promise<void> => {
    while (next < commits.length * 2) {
      next += 1;
      await send(next - 1);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return replays;
}

/** Every user's balances are what these few lines compute from the file: 10 xp a commit, 5 coins for every 20 files. */
export async function expectBalances(database: TestDatabase, commits: readonly Commit[]): Promise<void> {
  const expected: Record<string, [xp: number, coins: number]> = {};
  for (const { author } of commits) expected[author] = [0, 0];
  for (const author of Object.keys(expected)) {
    const own = commits.filter((commit) => commit.author === author);
    expected[author] = [own.length * 10, Math.floor(own.reduce((sum, { files }) => sum + files, 0) / 20) * 5];
  }
  const { rows } = await database.pool.query(
    `select u.external_id as user,
      coalesce(sum(a.balance) filter (where s.key = 'xp'), 0)::int as xp,
      coalesce(sum(a.balance) filter (where s.key = 'coins'), 0)::int as coins
    from users u left join accounts a on a.user_id = u.id left join points_systems s on s.id = a.system_id
    group by 1`,
  );
  expect(Object.fromEntries(rows.map((row) => [row.user, [row.xp, row.coins]]))).toEqual(expected);
}

/** The file through one API and two workers, each a process, then all of it again. */
export async function sendCommitsTwice(kind: BackendKind, rows?: number): Promise<void> {
  const database = await createDatabase();
  const api = await spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'api' }));
  const worker = () => spawnGuerdon(environment(database, kind, { GUERDON_ROLE: 'worker' }));
  const workers = await Promise.all([worker(), worker()]);
  const clients = clientsOf(api.grpcPort);
  const commits = readCommits(rows);
  expect(await sendCommits(clients, commits)).toBe(0);
  await expectBalances(database, commits);
  expect(await sendCommits(clients, commits)).toBe(commits.length * 2);
  await expectBalances(database, commits);
  await Promise.all([api, ...workers].map((guerdon) => guerdon.end()));
  await expectSound(database);
  await database.drop();
}
