import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { runBench } from '../../bench/all.ts';
import { Databases, KEY, onDatabase } from '../../bench/databases.ts';
import { randomOf } from '../../bench/load/random.ts';
import { SHORT } from '../../bench/plan.ts';
import { rawClient } from '../../bench/reads/sql-clients.ts';
import { pgbenchScript } from '../../bench/reads/statements.ts';
import { endServer, type Server, startGuerdon, startTextbook } from '../../bench/servers.ts';
import { Programs } from '../../src/db/programs.ts';
import { verify } from '../../src/ledger/verify.ts';
import { type Clients, clientsOf } from '../support/guerdon.ts';

const serverUrl = process.env.GUERDON_TEST_PG as string;

/** Smaller than what tells anything. */
const TINY = {
  ...SHORT,
  // Growth is made of the same parts as the others.
  sections: ['events', 'reads', 'import'] as const,
  servers: ['empty', 'textbook', 'guerdon-redis'] as const,
  profiles: undefined,
  seconds: 0.1,
  warmupSeconds: 0,
  repeat: 1,
  entries: 200,
  rows: 100,
  imports: 1,
  idleSeconds: 0.2,
  inFlight: [1, 4],
  busy: 8,
  readers: [2],
  pools: [5],
};

it('a run measures and writes its report', async () => {
  const out = await mkdtemp(join(tmpdir(), 'guerdon-bench-'));
  const services = {
    databaseUrl: serverUrl,
    redisUrl: process.env.GUERDON_TEST_REDIS,
    ...{ postgres: 'of the tests', redis: 'of the tests', stop: async () => {} },
  };
  await runBench({ ...TINY, out }, services, () => {});
  const report = JSON.parse(await readFile(join(out, 'short.json'), 'utf8'));
  const withRedis = services.redisUrl !== undefined;
  expect(report.goals).toHaveLength(10);
  const unmeasured = report.goals.filter(({ verdict }: { verdict: string }) => verdict === 'not measured');
  expect(unmeasured).toHaveLength(withRedis ? 3 : 6);
  const figures = report.events.flatMap((row: { figures: object }) => Object.values(row.figures));
  expect(figures).toHaveLength(5 * (withRedis ? 3 : 2));
  expect(figures.filter(({ failed }: { failed: number }) => failed > 0)).toEqual([]);
  expect(report.import.finalRows).toMatchObject({ events: TINY.rows, entries: TINY.rows, users: 10, accounts: 10 });
  const page = await readFile(join(out, 'short.md'), 'utf8');
  expect(page.match(/NOT MET|floor met|goal met/g)).toHaveLength(10 - unmeasured.length);
  // The PostgreSQL of the tests does not wait for the disk.
  expect(page).toContain('commits are cheaper here');
  expect(await readFile(join(out, 'short.svg'), 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
  await rm(out, { recursive: true });
}, 120_000);

describe('the textbook server', () => {
  const databases = new Databases(serverUrl);
  let empty: string;
  let urls: { textbook: string; guerdon: string };
  let servers: { textbook: Server; guerdon: Server };

  beforeAll(async () => {
    empty = await databases.createEmpty();
    urls = { textbook: await databases.copy(empty), guerdon: await databases.copy(empty) };
    const [textbook, guerdon] = await Promise.all([
      startTextbook(urls.textbook, [5]),
      startGuerdon('guerdon-postgres', { databaseUrl: urls.guerdon, redisUrl: undefined }),
    ]);
    servers = { textbook, guerdon };
  });

  afterAll(async () => {
    await Promise.all(Object.values(servers).map(endServer));
    await databases.dropAll();
  });

  const clients = ({ ports }: Server): Clients => clientsOf(Object.values(ports)[0] as number, KEY);

  it('writes the same rows as Guerdon for the same events', async () => {
    await sendEvents(clients(servers.textbook));
    await sendEvents(clients(servers.guerdon));
    const [textbook, guerdon] = [await rowsOf(urls.textbook), await rowsOf(urls.guerdon)];
    expect(textbook).toEqual(guerdon);
    const counts = Object.entries(guerdon).map(([table, rows]) => [table, rows.length]);
    expect(Object.fromEntries(counts)).toMatchObject({
      events: 8,
      entries: 5,
      accounts: 3,
      metric_totals: 3,
      users: 3,
    });
    expect(guerdon.level_changes?.length).toBeGreaterThan(0);
  });

  it('loses nothing when many events of few users come at once', async () => {
    const { events } = clients(servers.textbook);
    const users = ['hot', 'warm'];
    const sent = Array.from({ length: 60 }, (_, n) =>
      events.sendEvent({
        metricKey: 'lessons',
        user: { id: users[n % 2] as string },
        value: '1',
        idempotencyKey: `${n}`,
      }),
    );
    const answers = await Promise.all(sent);
    expect(new Set(answers.map(({ total }) => total)).size).toBe(30);
    const pool = new pg.Pool({ connectionString: urls.textbook });
    expect((await verify(pool, new Programs())).fault).toBeUndefined();
    await pool.end();
  });
});

it('where there is no pgbench, a client of our own runs the statements', async () => {
  const statements = [{ text: 'select $1::text, $2::bigint[]', values: ['user-7', ['7']] }];
  expect(await rawClient(statements, 10).run(serverUrl, 2, 0.2)).toBeGreaterThan(0);
  expect(pgbenchScript(statements, 10)).toBe(
    "\\set n random(1, 10)\nselect ('user-' || :n)::text, array[:n]::bigint[];\n",
  );
});

/** Events of three users, one after the other: a profile, repeats, a level, a fall, and what is refused. */
async function sendEvents({ events }: Clients): Promise<void> {
  const send = (id: string, value: string, idempotencyKey: string, more: object = {}) =>
    events.sendEvent({ metricKey: 'lessons', user: { id, ...more }, value, idempotencyKey });
  await send('ada', '1', 'a', { name: 'Ada', tz: 'Europe/Paris' });
  await send('bob', '1', 'a');
  await send('ada', '1', 'b');
  const repeat = await send('ada', '1', 'a');
  expect(repeat.idempotentReplayed).toBe(true);
  await expect(send('ada', '2', 'a')).rejects.toThrow(/key/);
  await send('ada', '150', 'c');
  await send('ada', '-3', 'd');
  await send('ada', '2', 'e');
  await send('bob', '0.5', 'b');
  await send('cyd', '1', 'a', { tz: 'Asia/Tokyo' });
}

/** What differs between any two runs: ids that are made and hashes; instants, wherever they are. */
const RANDOM = ['id', 'event_id', 'command_id', 'hash', 'event_hash'];
const INSTANT = /"\d{4}-\d\d-\d\dT[^"]*"|\b\d{13}\b/g;
/** Of the deployment and of its queue, not of what was sent. */
const NOT_COMPARED = ['settings', 'mikro_orm_migrations', 'api_keys', 'audit', 'programs', 'projects'];

/** All rows of all tables, users by their external id. */
function rowsOf(url: string): Promise<Record<string, unknown[]>> {
  return onDatabase(url, async (client) => {
    const { rows: tables } = await client.query(
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> all($1) order by 1`,
      [NOT_COMPARED],
    );
    const { rows: users } = await client.query('select id, external_id from users');
    const external = new Map(users.map(({ id, external_id }) => [id, external_id]));
    const found: Record<string, unknown[]> = {};
    for (const { name } of tables) {
      const { rows } = await client.query(
        `select to_jsonb(t) - $1::text[] as row, to_jsonb(t) ->> 'event_id' as event_id from ${name} t`,
        [RANDOM],
      );
      found[name] = rows.map(({ row, event_id }) => {
        const text = JSON.stringify(row).replaceAll(event_id ?? '', event_id === null ? '' : 'EVENT');
        const plain = JSON.parse(text.replaceAll(INSTANT, '"AT"'));
        return 'user_id' in plain ? { ...plain, user_id: external.get(String(plain.user_id)) } : plain;
      });
      found[name].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    return found;
  });
}

it('the random numbers of the load are the same for the same seed, and spread', () => {
  const [one, same, other] = [randomOf(7), randomOf(7), randomOf(8)];
  const numbers = Array.from({ length: 1000 }, one);
  expect(numbers).toEqual(Array.from({ length: 1000 }, same));
  expect(numbers).not.toEqual(Array.from({ length: 1000 }, other));
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
});
