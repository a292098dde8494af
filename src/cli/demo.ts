import { fileURLToPath } from 'node:url';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { Command } from 'commander';
import { DemoClient } from './demo-client.ts';
import { type Commit, Expectation, fingerprint, readCommits } from './demo-commits.ts';
import { findTarget, type TargetOptions } from './demo-server.ts';

const SAMPLE = fileURLToPath(new URL('./demo-commits.ndjson', import.meta.url));
const TOP = 10;

interface Options extends TargetOptions {
  inFlight: string;
  limit: string;
  asIs?: boolean;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Sends the file twice and shows what came of it; false when a balance is not what the file says. */
async function demo(file: string, options: Options): Promise<boolean> {
  const prefix = options.asIs ? '' : `${await fingerprint(file)}:`;
  const commits: Commit[] = [];
  const expectation = new Expectation();
  for await (const commit of readCommits(file)) {
    if (commits.length === Number(options.limit)) break;
    commits.push(commit);
    expectation.add(commit);
  }
  say(`${commits.length} commits by ${expectation.byAuthor.size} authors in ${file}`);
  const target = await findTarget(process.env, options, say);
  const client = new DemoClient(target.address, target.key);
  try {
    const inFlight = Number(options.inFlight);
    await sendAll(client, commits, prefix, inFlight, 'sending');
    const before = await balances(client, expectation, prefix, inFlight);
    showTop(expectation, before);
    const replays = await sendAll(client, commits, prefix, inFlight, 'again  ');
    const after = await balances(client, expectation, prefix, inFlight);
    const changed = [...after].filter(([author, now]) => !same(now, before.get(author)));
    say(`sent again: ${replays} of ${commits.length * 2} events were replays, ${changed.length} balances changed`);
    return judge(expectation, after) && changed.length === 0;
  } finally {
    client.close();
    await target.close();
  }
}

/** Two events a commit, each at the commit's own time; gives the number of replays. */
async function sendAll(
  client: DemoClient,
  commits: readonly Commit[],
  prefix: string,
  inFlight: number,
  title: string,
): Promise<number> {
  const total = commits.length * 2;
  const bar = new SingleBar({ format: `${title} [{bar}] {value}/{total} events, {rate}/s`, hideCursor: true });
  const began = performance.now();
  const rate = (done: number): number => Math.round((done * 1000) / (performance.now() - began));
  if (process.stdout.isTTY) bar.start(total, 0, { rate: 0 });
  let replays = 0;
  let done = 0;
  await inParallel(total, inFlight, async (index) => {
    const { commit, author, at, repo, files } = commits[index >> 1] as Commit;
    const answer = await client.sendEvent({
      ...(index % 2 === 0 ? { metricKey: 'commits', value: '1' } : { metricKey: 'files', value: String(files) }),
      user: { id: `${prefix}${author}` },
      attributes: { repo },
      idempotencyKey: commit,
      occurredAt: timestampFromDate(new Date(at)),
    });
    if (answer.idempotentReplayed) replays += 1;
    done += 1;
    bar.update(done, { rate: rate(done) });
  });
  bar.stop();
  say(`${title.trim()}: ${total} events, ${rate(total)} a second, ${replays} replays`);
  return replays;
}

interface Balances {
  xp: bigint;
  coins: bigint;
  level: string;
}

async function balances(
  client: DemoClient,
  expectation: Expectation,
  prefix: string,
  inFlight: number,
): Promise<Map<string, Balances>> {
  const authors = [...expectation.byAuthor.keys()];
  const found = new Map<string, Balances>();
  await inParallel(authors.length, inFlight, async (index) => {
    const author = authors[index] as string;
    const of = (systemKey: string) => client.getUserPoints({ userId: `${prefix}${author}`, systemKey, awards: 0 });
    const [xp, coins] = await Promise.all([of('xp'), of('coins')]);
    found.set(author, { xp: xp.total, coins: coins.total, level: xp.level?.name ?? '' });
  });
  return found;
}

function showTop(expectation: Expectation, found: Map<string, Balances>): void {
  const table = new Table({
    head: ['user', 'commits', 'files', 'xp', 'level', 'coins'],
    colAligns: ['left', 'right', 'right', 'right', 'left', 'right'],
    style: { head: [], border: [] },
  });
  const top = [...found].sort(([, a], [, b]) => (a.xp < b.xp ? 1 : a.xp > b.xp ? -1 : 0)).slice(0, TOP);
  for (const [author, { xp, coins, level }] of top) {
    const { commits, files } = expectation.byAuthor.get(author) ?? { commits: 0, files: 0 };
    table.push([author, commits, files, xp.toString(), level, coins.toString()]);
  }
  say(table.toString());
}

/** Holds every balance against what a few lines compute from the file alone. */
function judge(expectation: Expectation, found: Map<string, Balances>): boolean {
  const wrong = [...expectation.byAuthor].filter(([author, expected]) => {
    const is = found.get(author);
    return is?.xp !== expected.xp || is.coins !== expected.coins;
  });
  if (wrong.length === 0) {
    say(`${expectation.byAuthor.size} users checked: every balance is what the file says`);
    return true;
  }
  for (const [author, expected] of wrong.slice(0, TOP)) {
    const is = found.get(author);
    say(`${author}: ${is?.xp} xp and ${is?.coins} coins; the file says ${expected.xp} and ${expected.coins}`);
  }
  say(`${wrong.length} balances differ; they do when these users have other events or the rules were changed`);
  return false;
}

function same(a: Balances, b: Balances | undefined): boolean {
  return a.xp === b?.xp && a.coins === b.coins && a.level === b.level;
}

/** Runs `work` for 0 … count − 1, so many at once. */
async function inParallel(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
}

const command = new Command('demo')
  .description('Send a file of commits through the gRPC API, show what it gave, and send it again.')
  .argument('[file]', 'NDJSON, also gzipped: one {"commit", "author", "at", "repo", "files"} a line', SAMPLE)
  .option('--grpc <host:port>', 'server to send to; default: the one that runs here, else one of its own')
  .option('--key <prefix.body>', 'admin key; default: GUERDON_ADMIN_KEY, else one is made for a server that runs here')
  .option('--in-flight <n>', 'calls at once', '64')
  .option('--limit <n>', 'only the first so many commits', 'Infinity')
  .option('--as-is', 'user ids as in the file; else they begin with the fingerprint of the file')
  .action(async (file: string, options: Options) => {
    process.exitCode = (await demo(file, options)) ? 0 : 1;
  });

try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
