import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, runningEmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { isPostgresOf } from '../../src/db/embedded-process.ts';

const source = new URL('../../src/db/', import.meta.url).href;
const settings = { shared_buffers: '128MB' };
const root = mkdtempSync(join(tmpdir(), 'guerdon-embedded-'));
// Under root, PostgreSQL runs as another user, who has to get in.
chmodSync(root, 0o755);
const shared = join(root, 'shared');
const lock = join(shared, 'guerdon.lock');

const servers: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];
const outside: string[] = [];

async function start(dir: string, said: string[] = [], more: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  const say = (message: string) => void said.push(message);
  const server = await startEmbeddedPostgres({ dir, durable: false, settings: { ...settings, ...more }, say });
  servers.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

/** Runs code in another Node process, and resolves to it with the first thing it says. */
async function elsewhere(code: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = await once(child.stdout!, 'data');
  return { child, said: String(said).trim() };
}

function startElsewhere(dir: string): Promise<{ child: ChildProcess; said: string }> {
  return elsewhere(`
    const { startEmbeddedPostgres } = await import('${source}embedded.ts');
    const { url } = await startEmbeddedPostgres(${JSON.stringify({ dir, durable: false, settings })});
    console.log(url);
    setInterval(() => {}, 1000);`);
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(() => {
  for (const path of [root, ...outside]) rmSync(path, { recursive: true, force: true });
});

describe('the embedded PostgreSQL', () => {
  it('is made at the first start, and keeps its data over a stop', async () => {
    const first = await start(shared);
    expect(first.port).toBe(Number(new URL(first.url).port));
    await query(first.url, 'CREATE TABLE kept (n int)');
    await query(first.url, 'INSERT INTO kept VALUES (7)');
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(existsSync(lock)).toBe(false);

    const second = await start(shared);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([7]);
    expect(await query(second.url, "SELECT current_user, current_database(), current_setting('TimeZone')")).toEqual([
      'guerdon',
      'guerdon',
      'UTC',
    ]);
  });

  it('lets nobody in without the password, which only its owner can read', async () => {
    const { url } = await start(shared);
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect(statSync(join(shared, 'postgres.password')).mode & 0o777).toBe(0o600);
  });

  it('refuses a second start while the folder is in use', async () => {
    const message = `another guerdon (pid ${process.pid}) is using ${shared}; stop it, or set GUERDON_DATA_DIR`;
    const first = await start(shared);
    await expect(start(shared)).rejects.toThrow(message);
    expect(await query(first.url, 'SELECT 1')).toEqual([1]);
  });

  it('takes over from a parent that was killed, with its data', async () => {
    const { child, said: url } = await startElsewhere(shared);
    await query(url, 'CREATE TABLE survived (n int)');
    await query(url, 'INSERT INTO survived VALUES (1)');
    await expect(start(shared)).rejects.toThrow(`another guerdon (pid ${child.pid})`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const orphan = await runningEmbeddedPostgres(shared);
    expect(orphan?.url).toBe(url);

    const said: string[] = [];
    const server = await start(shared, said);
    expect(said).toEqual([expect.stringContaining(`stopping PostgreSQL (pid ${orphan?.pid})`)]);
    expect(isPostgresOf(server.dataDir, orphan!.pid)).toBe(false);
    expect(await query(server.url, 'SELECT n FROM survived')).toEqual([1]);
  });

  it('takes over a lock whose owner is gone, or whose process id is now that of another', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    for (const pid of [dead.pid, process.pid]) {
      writeFileSync(lock, JSON.stringify({ pid, started: 'at another time', token: 'x' }));
      const server = await start(shared);
      expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
      await server.stop();
    }
  });

  it('gives a stale lock to one only of those who race for it', async () => {
    const file = join(root, 'raced.lock');
    writeFileSync(file, JSON.stringify({ pid: 2 ** 22 + 1, started: 'long ago', token: 'x' }));
    const begin = Date.now() + 1500;
    const code = `
      const { takeLock } = await import('${source}embedded-process.ts');
      while (Date.now() < ${begin});
      try { takeLock('${file}', 'here'); console.log('mine'); } catch (error) { console.log(error.message); }
      setInterval(() => {}, 1000);`;
    const racers = await Promise.all(Array.from({ length: 6 }, () => elsewhere(code)));
    const said = racers.map((racer) => racer.said);
    expect(said.filter((words) => words === 'mine')).toHaveLength(1);
    expect(said.filter((words) => words.startsWith('another guerdon (pid'))).toHaveLength(5);
  });

  it('leaves a process alone that has got the id of the old server', async () => {
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    children.push(bystander);
    const { dataDir, stop } = await start(shared);
    const pidFile = join(dataDir, 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    await stop();
    writeFileSync(pidFile, [bystander.pid, ...lines.slice(1)].join('\n'));
    expect(await runningEmbeddedPostgres(shared)).toBeUndefined();
    await start(shared);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  it('says why it did not start, and leaves nothing behind', async () => {
    await expect(start(shared, [], { max_connections: 'lots' })).rejects.toThrow(
      /did not start.*postgres\.log:\n.*invalid value for parameter "max_connections"/s,
    );
    expect(existsSync(lock)).toBe(false);
    expect(await runningEmbeddedPostgres(shared)).toBeUndefined();
  });

  it('can be found while it runs', async () => {
    expect(await runningEmbeddedPostgres(join(root, 'never'))).toBeUndefined();
    expect(await runningEmbeddedPostgres(shared)).toBeUndefined();
    const { url, stop } = await start(shared);
    const found = await runningEmbeddedPostgres(shared);
    expect(found?.url).toBe(url);
    expect(process.kill(found!.pid, 0)).toBe(true);
    await stop();
    expect(await runningEmbeddedPostgres(shared)).toBeUndefined();
  });

  const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

  itAsRoot('keeps its data elsewhere when root has it in a private folder', async () => {
    const dir = join(root, 'private', '.guerdon');
    mkdirSync(dirname(dir), { mode: 0o700 });
    const said: string[] = [];
    const first = await start(dir, said);
    outside.push(dirname(first.dataDir));
    expect(said).toEqual([expect.stringContaining(`the data of ${dir} is in ${dirname(first.dataDir)}`)]);
    expect(readFileSync(join(dir, 'postgres.location'), 'utf8').trim()).toBe(dirname(first.dataDir));
    expect(statSync(first.dataDir).uid).toBe(65534);
    await query(first.url, 'CREATE TABLE kept (n int)');
    await first.stop();

    const second = await start(dir);
    expect(await query(second.url, 'SELECT count(*)::int FROM kept')).toEqual([0]);
    await second.stop();
    rmSync(second.dataDir, { recursive: true });
    await expect(start(dir)).rejects.toThrow('where it is no more; restore it, or remove');
  });
});
