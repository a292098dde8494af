import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openOrm } from '../../src/db/orm.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { dumpSchema, GOLDEN, writeGolden } from '../support/schema-dump.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const run = (sql: string) => database.pool.query(sql);

describe('the schema', () => {
  it('is the golden one in test/schema.sql (GUERDON_GOLDEN=write npm test -- test/db/schema writes it anew)', async () => {
    if (process.env.GUERDON_GOLDEN === 'write') await writeGolden(database.pool);
    expect(await dumpSchema(database.pool)).toBe(await readFile(GOLDEN, 'utf8'));
  });

  it('has exactly the columns that the entities name, with the same nullability', async () => {
    const { rows } = await database.pool.query(`select table_name, column_name, is_nullable = 'YES' as nullable
      from information_schema.columns where table_schema = 'public' and table_name <> 'migrations'`);
    const stored = rows.map((row) => `${row.table_name}.${row.column_name}${row.nullable ? '?' : ''}`);
    const orm = await openOrm(database.url);
    const named = [...orm.getMetadata().getAll().values()].flatMap((meta) =>
      meta.props.flatMap((prop) =>
        prop.fieldNames.map((name) => `${meta.tableName}.${name}${prop.nullable ? '?' : ''}`),
      ),
    );
    await orm.close(true);
    expect(named.sort()).toEqual(stored.sort());
  });
});

const HASH = `'\\x${'ab'.repeat(32)}'`;

function event(over: Record<string, string> = {}): string {
  const row: Record<string, string> = {
    user_id: '1',
    id: 'gen_random_uuid()',
    seq: '1',
    metric_id: '1',
    keyed: 'true',
    key: `'k'`,
    value: '1',
    attributes: `'{}'`,
    occurred_at: 'now()',
    occurred_at_sent: 'false',
    received_at: 'now()',
    created_at: 'now()',
    total_before: '0',
    total_after: '1',
    high_before: '0',
    high_after: '1',
    program_version: '0',
    decision: `'{}'`,
    hash_version: '1',
    hash: HASH,
    ...over,
  };
  return `insert into events (${Object.keys(row)}) values (${Object.values(row)})`;
}

function entryValues(over: Record<string, string> = {}): Record<string, string> {
  return {
    user_id: '1',
    system_id: '1',
    version: '1',
    kind: `'adjust'`,
    amount: '10',
    balance_after: '10',
    cause_key: `'adjust:k'`,
    command_id: 'gen_random_uuid()',
    event_id: 'null',
    trigger_id: 'null',
    reverses: 'null',
    earned: 'null',
    occurred_at: 'now()',
    created_at: 'now()',
    hash_version: '1',
    hash: HASH,
    ...over,
  };
}

function entries(...rows: Record<string, string>[]): string {
  const values = rows.map((over) => Object.values(entryValues(over)).join(', '));
  return `insert into entries (${Object.keys(entryValues())}) values (${values.join('), (')})`;
}

const seed = [
  `insert into projects (key, name, time_zone, created_at) values ('p', 'P', 'UTC', now())`,
  `insert into metrics (project_id, key, name, created_at) values (1, 'm', 'M', now())`,
  `insert into points_systems (project_id, key, created_at) values (1, 's', now()), (1, 't', now())`,
  `insert into programs (project_id, version, snapshot, created_at) values (1, 1, '{}', now())`,
  `insert into users (project_id, external_id, created_at, updated_at) values (1, 'u', now(), now()), (1, 'v', now(), now())`,
  event(),
  entries({}, { version: '2', amount: '-4', balance_after: '6', cause_key: `'b'` }, { user_id: '2' }),
  `insert into commands (user_id, id, kind, system_id, key, amount, reason, received_at, created_at, program_version,
    after_seq, entry_version) values (1, gen_random_uuid(), 'adjust', 1, 'k', 10, 'r', now(), now(), 1, 0, 1)`,
  `insert into refusals (user_id, id, kind, metric_id, keyed, key, value, attributes, occurred_at, received_at,
    created_at, program_version, code, detail) values (1, gen_random_uuid(), 'event', 1, true, 'k', 1, '{}', now(),
    now(), now(), 0, 'OUT_OF_POINTS', '{}')`,
  `insert into user_imports (user_id, id, content, received_at, created_at, program_version, hash_version, hash)
    values (7, gen_random_uuid(), '{}', now(), now(), 1, 1, ${HASH})`,
];

describe('a stored state', () => {
  beforeAll(async () => {
    for (const statement of seed) await run(statement);
  });

  it('follows from its entries: accounts are posted by the database itself', async () => {
    const { rows } = await run('select user_id, system_id, balance, earned, version from accounts order by 1, 2');
    expect(rows).toEqual([
      { user_id: '1', system_id: '1', balance: '6', earned: '10', version: '2' },
      { user_id: '2', system_id: '1', balance: '10', earned: '10', version: '1' },
    ]);
  });

  const opening = { user_id: '7', kind: `'import'`, cause_key: `'import'`, earned: '10' };
  const next = { version: '3', cause_key: `'next'`, amount: '1', balance_after: '7' };
  it.each([
    ['an account changed by hand', 'update accounts set balance = 1000 where user_id = 1'],
    [
      'an account made with points in it',
      `insert into accounts (user_id, system_id, balance, earned, version, hash)
      values (9, 1, 5, 5, 1, ${HASH})`,
    ],
    ['a gap in the versions', entries({ ...next, version: '4' })],
    ['a version used twice', entries({ ...next, version: '2' })],
    ['a balance that does not add up', entries({ ...next, balance_after: '8' })],
    ['a second entry that does not add up', entries(next, { ...next, version: '4', cause_key: `'x'` })],
    ['an entry of nothing', entries({ ...next, amount: '0', balance_after: '6' })],
    ['a balance beyond 2^53 - 1', entries({ ...next, amount: '9007199254740990', balance_after: '9007199254740996' })],
    ['a cause paid twice', entries({ ...next, cause_key: `'adjust:k'` })],
    ['a spend that gives', entries({ ...next, kind: `'spend'` })],
    ['an award without an event', entries({ ...next, kind: `'award'` })],
    ['a reversal of nothing', entries({ ...next, kind: `'reverse'` })],
    ['an entry of an unknown kind', entries({ ...next, kind: `'gift'` })],
    ['an import after other entries', entries({ ...next, kind: `'import'`, cause_key: `'import'`, earned: '1' })],
    ['an import that does not say what was earned', entries({ ...opening, earned: 'null' })],
    ['an import of less earned than there is', entries({ ...opening, earned: '9' })],
    ['an import without a command', entries({ ...opening, command_id: 'null' })],
    ['an adjustment that says what was earned', entries({ ...next, earned: '1' })],
    ['a short hash', entries({ ...next, hash: `'\\xab'` })],
    ['an event key used twice', event({ seq: '2' })],
    ['a place in the order used twice', event({ key: `'other'` })],
    ['a total that is not before and value', event({ seq: '2', key: `'other'`, total_after: '5', high_after: '5' })],
    ['a high-water mark below the total', event({ seq: '2', key: `'other'`, high_after: '0' })],
    [
      'a total below a high-water mark',
      'insert into metric_totals (user_id, metric_id, total, high) values (1, 1, 5, 4)',
    ],
    ['a command key used twice', seed[7] as string],
    ['a refusal for an unknown reason', (seed[8] as string).replace('OUT_OF_POINTS', 'BAD_LUCK')],
    ['a user without an id', `insert into users (project_id, external_id, updated_at) values (1, '', now())`],
    ['a user known twice', `insert into users (project_id, external_id, updated_at) values (1, 'u', now())`],
    ['events of a user who was never created', 'update users set created_at = null, seq = 1 where id = 1'],
    [
      'half a rate limit',
      `insert into api_keys (project_id, prefix, hash, kind, name, created_at, rate_requests)
      values (1, 'p', ${HASH}, 'admin', 'n', now(), 1)`,
    ],
    [
      'an API key with a short hash',
      `insert into api_keys (project_id, prefix, hash, kind, name, created_at)
      values (1, 'p', '\\xab', 'admin', 'n', now())`,
    ],
    [
      'a project of an impossible key',
      `insert into projects (key, name, time_zone, created_at) values ('a b', 'P', 'UTC', now())`,
    ],
  ])('can never be %s', async (_what, statement) => {
    await expect(run(statement)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
  });

  const boost = (multiplier: string, window: string) =>
    `insert into user_boosts (user_id, id, system_id, name, multiplier, rounding, exclusive, created_at,
      updated_at, status, starts_at, start_time, end_time, start_date, end_date, zone)
    values (1, gen_random_uuid(), 1, 'b', ${multiplier}, 'down', false, now(), now(), 'scheduled', now(), ${window})`;
  const open = 'now(), null, null, null, null';
  it.each([
    ['times nothing', boost('0', open)],
    ['times one', boost('1', open)],
    ['times a hundred', boost('100', open)],
    ['with two windows', boost('2', `now(), null, '2026-01-01', null, 'user'`)],
    ['without a window', boost('2', 'null, null, null, null, null')],
    ['that ends before it starts', boost('2', `now(), now() - interval '1 day', null, null, null`)],
    ['of days without a zone', boost('2', `null, null, '2026-01-01', null, null`)],
  ])('can never hold a boost %s', async (_what, statement) => {
    await expect(run(statement)).rejects.toMatchObject({ code: '23514' });
  });

  describe.each(['events', 'entries', 'commands', 'refusals', 'programs', 'user_imports'])('of %s', (table) => {
    let rows: unknown[];
    beforeEach(async () => {
      rows = (await run(`select * from ${table}`)).rows;
    });
    it.each([`update ${table} set created_at = now()`, `delete from ${table}`, `truncate ${table}`])(
      'can never be changed by %s',
      async (statement) => {
        expect(rows.length).toBeGreaterThan(0);
        await expect(run(statement)).rejects.toThrow(`${table} is append-only`);
        expect((await run(`select * from ${table}`)).rows).toEqual(rows);
      },
    );
  });
});
