import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EntryKind } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { LevelBasis, TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { Imports } from '../support/import-users.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

const USERS = 2_000;

let guerdon: TestGuerdon;
let imports: Imports;
beforeAll(async () => {
  guerdon = await startGuerdon();
  imports = new Imports(guerdon.database);
  const welcome = { key: 'welcome', points: 1_000n, type: { case: 'userCreation', value: {} } } as const;
  await guerdon.admin.createTriggers({ systemKey: 'coins', triggers: [welcome] });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await imports.clear();
  await guerdon.close();
}, 180_000);

const count = async (sql: string): Promise<number> =>
  (await guerdon.database.pool.query(`select count(*)::int as count from ${sql}`)).rows[0].count;

/** Ids as apps have them, and as nobody should. */
const ODD = [
  'a/b',
  '100%',
  'two words',
  '😀🏳️‍🌈',
  '"quoted"',
  'comma,',
  'new\nline',
  "'; --",
  '__proto__',
  'x'.repeat(255),
  'é',
  'e\u0301',
];
const idOf = (prefix: string, index: number) =>
  index < ODD.length ? `${prefix}${ODD[index]}`.slice(0, 255) : `${prefix}/${index} %${index.toString(16)}`;

function csvUsers(prefix: string): Record<string, string>[] {
  return Array.from({ length: USERS }, (_, index) => ({
    userId: idOf(prefix, index),
    name: `User "${index}"`,
    tz: index % 3 === 0 ? 'Asia/Tokyo' : '',
    createdAt: '2023-05-01T10:00:00+02:00',
    'attributes.plan': index % 2 === 0 ? 'pro' : '',
    'points.xp.balance': String(index),
    'points.xp.earned': String(index * 2),
    'points.coins.balance': index % 5 === 0 ? '0' : '',
    'metrics.lessons.total': `${index}.5`,
  }));
}

describe('a CSV file', () => {
  it('of 2,000 users is told by a dry run, imported, and the same again', async () => {
    const rows = csvUsers('c');
    rows[77] = { ...rows[77], 'points.xp.balance': '1.5' } as (typeof rows)[number];
    rows[78] = { ...rows[79] } as (typeof rows)[number];
    rows.push({ ...rows[80], 'points.xp.balance': '3' } as (typeof rows)[number], rows[81] as (typeof rows)[number]);
    const path = await imports.csv(rows);
    const before = await count('users');
    const dry = await imports.run(path, '--dry-run');
    expect(await count('users')).toBe(before);
    expect(dry.counts).toEqual({ imported: USERS - 2, same: 2, refused: 2 });
    const real = await imports.run(path);
    expect(real.rows).toEqual(dry.rows);
    expect([dry.status, real.status]).toEqual([1, 1]);
    // The id with a line break takes two lines.
    expect(
      real.rows.filter(({ outcome }) => outcome !== 'imported').map(({ line, reasons }) => [line, ...reasons]),
    ).toEqual([
      [80, 'points.xp.balance: must be a whole number of at most ±(2^53 − 1)'],
      [82],
      [USERS + 3, expect.stringContaining('balances differ')],
      [USERS + 4],
    ]);
    expect(real.stderr).toContain('line 80, "c/77 %4d": refused: points.xp.balance');
    expect(real.stdout).toMatch(/2002 rows: 1998 imported, 2 the same, 2 refused/);

    const again = await imports.run(path);
    expect(again.counts).toEqual({ same: USERS, refused: 2 });
    const balances = await balancesOf(guerdon.database, 'xp');
    for (const index of [0, 3, 4, 6, 8, 9, 11, 1_000, USERS - 1]) expect(balances[idOf('c', index)]).toBe(index);
    expect(await count('outbox')).toBe(0);
    expect(await count(`entries where kind <> 'import'`)).toBe(0);
    expect(await count('user_commands')).toBe(0);
  }, 120_000);

  it('shows what users had, in every read', async () => {
    const id = idOf('c', 8);
    const { user } = await guerdon.users.getUser({ userId: id });
    expect(user).toMatchObject({ id, name: 'User "8"', attributes: { plan: 'pro' } });
    expect(user?.createdAt).toEqual(timestampFromMs(Date.parse('2023-05-01T08:00:00Z')));
    const xp = { userId: id, systemKey: 'xp' };
    const points = await guerdon.points.getUserPoints(xp);
    expect(points).toMatchObject({ total: 8n, level: { key: 'novice' } });
    const { entries } = await guerdon.points.listLedgerEntries(xp);
    expect(entries).toMatchObject([
      { version: 1n, kind: EntryKind.IMPORT, amount: 8n, balanceAfter: 8n, eventId: '', triggerId: '' },
    ]);
    const now = await guerdon.points.getUserBalanceAt({ ...xp, at: timestampFromMs(Date.now()) });
    const then = await guerdon.points.getUserBalanceAt({ ...xp, at: timestampFromMs(Date.parse('2024-01-01T00:00Z')) });
    expect([now.total, then.total]).toEqual([8n, 0n]);
    const zero = await guerdon.points.listLedgerEntries({ userId: idOf('c', 5), systemKey: 'coins' });
    expect(zero.entries).toMatchObject([{ kind: EntryKind.IMPORT, amount: 0n }]);
  });

  it('that breaks off is done up to there, and said to', async () => {
    const bad = await imports.file('csv', 'userId,points.xp.balance\nbreak1,1\n"break2"x,2\nbreak3,3\n');
    const { status, stderr, counts } = await imports.run(bad);
    expect([status, counts]).toEqual([1, { imported: 1 }]);
    expect(stderr).toContain('line 3: a quoted field goes on after its closing quote');
    const open = await imports.file('csv', 'userId,points.xp.balance\nbreak4,1\n\n"break5,2\n');
    expect((await imports.run(open)).stderr).toContain('line 4: a quoted field is never closed');
    const latin = await imports.file('csv', Buffer.from('userId\nJos\xe9\n', 'latin1'));
    expect((await imports.run(latin)).stderr).toContain('is not UTF-8');
    const header = await imports.file('csv', 'userId,points.xp,userId\nx,1,x\n');
    expect((await imports.run(header)).stderr).toContain('no column is called "points.xp"');
    expect((await imports.run(await imports.file('csv', '\uFEFFuserId\r\nbreak6\r\n'))).counts).toEqual({
      imported: 1,
    });
  });
});

describe('an NDJSON file', () => {
  const rows = Array.from({ length: 4_000 }, (_, index) => ({
    userId: idOf('n', index),
    points: { xp: { balance: index - 10, earned: index + 5, level: index + 5 < 100 ? 'novice' : undefined } },
    metrics: { files: { total: `${index}.000000001`, high: index + 1 } },
    streak: { length: 3, lastDay: '2024-02-29' },
  }));

  it('is imported by whoever comes after one that was killed', async () => {
    const { child, ended } = await imports.start('-', '--format', 'ndjson');
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
    child.stdin?.write(lines.slice(0, 3_000).join(''));
    await until(async () => (await count(`user_imports where content->'streak' <> 'null'`)) > 1_000, {
      what: 'some of the users',
    });
    child.kill('SIGKILL');
    expect((await ended).status).toBeNull();
    const before = await count(`user_imports where content->'streak' <> 'null'`);
    expect(before).toBeLessThan(rows.length);
    const { counts, status } = await imports.run(await imports.ndjson(rows));
    expect([status, counts]).toEqual([0, { same: before, imported: rows.length - before }]);
    const balances = await balancesOf(guerdon.database, 'xp');
    for (const index of [0, 5, 11, 3_999]) expect(balances[idOf('n', index)]).toBe(index - 10);
  }, 120_000);

  it('is imported once by many at once', async () => {
    const path = await imports.ndjson(
      rows.slice(0, 500).map((row) => ({ ...row, userId: `race ${row.userId}`.slice(0, 255) })),
    );
    const runs = await Promise.all([imports.run(path), imports.run(path), imports.run(path)]);
    const sum = (outcome: 'imported' | 'same') => runs.reduce((total, { counts }) => total + (counts[outcome] ?? 0), 0);
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect([sum('imported'), sum('imported') + sum('same')]).toEqual([500, 1_500]);
    expect(await count(`users where external_id like 'race %'`)).toBe(500);
  }, 120_000);
});

describe('a row', () => {
  it('is refused with all that is wrong with it, and nothing of it is stored', async () => {
    await guerdon.events.sendEvent({ metricKey: 'commits', user: { id: 'known' }, value: '1' });
    const user = (userId: string, more: object) => JSON.stringify({ userId, ...more });
    const wrong = [
      '{',
      '[]',
      '{}',
      user('', {}),
      user('y'.repeat(256), {}),
      user('r\0', {}),
      user('r1', { colour: 'red' }),
      user('r2', { points: { gold: { balance: 1 } } }),
      user('r3', { points: { xp: { balance: '9007199254740992' } } }),
      user('r4', { points: { xp: { balance: 5, earned: 4 } } }),
      user('r5', { points: { xp: {} } }),
      user('r6', { metrics: { naps: { total: 1 } } }),
      user('r7', { metrics: { lessons: { total: '1e3' } } }),
      user('r8', { metrics: { lessons: { total: 5, high: 4 } } }),
      user('r9', { triggers: { 'xp/lesson': { total: 1 } } }),
      user('r10', { createdAt: new Date(Date.now() + 60_000).toISOString() }),
      user('r11', { createdAt: '2024-02-30T00:00:00Z' }),
      user('r12', { tz: 'Mars/Olympus', attributes: { nope: 'x' } }),
      user('r13', { streak: { length: 3 } }),
      user('r14', { streak: { length: 3, lastDay: '9999-01-01' } }),
      user('r15', { points: { xp: { balance: 1 } }, metrics: { lessons: { total: true } } }),
      user('known', { points: { xp: { balance: 1 } } }),
    ];
    const tables = ['users', 'accounts', 'entries', 'metric_totals', 'user_imports', 'refusals', 'trigger_counters'];
    const sizes = () => Promise.all(tables.map((table) => count(table)));
    const before = await sizes();
    const path = await imports.file('ndjson', wrong.join('\n'));
    const { rows, counts, status } = await imports.run(path);
    expect([status, counts]).toEqual([1, { refused: wrong.length }]);
    expect(rows.map(({ line }) => line)).toEqual(wrong.map((_, index) => index + 1));
    expect(rows.map(({ reasons }) => reasons.join('; '))).toEqual([
      expect.stringMatching(/JSON/),
      expect.stringMatching(/must be an object/),
      expect.stringMatching(/^userId: must not be empty$/),
      expect.stringMatching(/^userId: must not be empty$/),
      expect.stringMatching(/^userId: must have at most 255/),
      expect.stringMatching(/^userId: .*NUL/),
      expect.stringMatching(/"colour"/),
      expect.stringMatching(/^points.gold: /),
      expect.stringMatching(/^points.xp.balance: .*2\^53/),
      expect.stringMatching(/^points.xp.earned: /),
      expect.stringMatching(/^points.xp.balance: must be given/),
      expect.stringMatching(/^metrics.naps: /),
      expect.stringMatching(/^metrics.lessons.total: must be a decimal/),
      expect.stringMatching(/^metrics.lessons.high: /),
      expect.stringMatching(/^triggers.xp\/lesson: has no event filters/),
      expect.stringMatching(/^createdAt: must not be later/),
      expect.stringMatching(/^createdAt: must be an instant/),
      expect.stringMatching(/^tz: .*; attributes.*nope/),
      expect.stringMatching(/^streak.lastDay: /),
      expect.stringMatching(/^streak.lastDay: /),
      expect.stringMatching(/^metrics.lessons.total: must be a text/),
      expect.stringMatching(/is known already/),
    ]);
    expect((await imports.run(path, '--dry-run')).rows).toEqual(rows);
    expect(await sizes()).toEqual(before);
  });

  it('that is changed is told, and changes nothing; names are free to differ', async () => {
    const row = { userId: 'changing', name: 'C', points: { xp: { balance: 10 } }, metrics: { lessons: { total: 1 } } };
    await imports.run(await imports.ndjson([row]));
    const variants = [
      { ...row, name: 'D', metrics: { lessons: { total: '1.0', high: 1 } } },
      { ...row, points: { xp: { balance: 11 } } },
      { ...row, createdAt: '2020-01-01T00:00:00Z', metrics: {} },
    ];
    const { rows } = await imports.run(await imports.ndjson(variants));
    expect(rows.map(({ outcome, reasons }) => [outcome, ...reasons])).toEqual([
      ['same'],
      ['refused', expect.stringContaining('balances differ')],
      ['refused', expect.stringContaining('createdAt, totals differ')],
    ]);
    expect((await guerdon.users.getUser({ userId: 'changing' })).user?.name).toBe('C');
    expect((await guerdon.points.getUserPoints({ userId: 'changing', systemKey: 'xp' })).total).toBe(10n);
  });

  it('is taken with a warning where the economy would not have let it come about', async () => {
    const rows = [
      { userId: 'odd', points: { xp: { balance: 600, level: 'novice' }, energy: { balance: 90 } } },
      { userId: 'even', points: { xp: { balance: 600, level: 'adept' } } },
    ];
    const told = (await imports.run(await imports.ndjson(rows))).rows;
    expect(told.map(({ outcome, warnings }) => [outcome, ...warnings])).toEqual([
      [
        'imported',
        'points.xp.level: is novice; the economy gives adept',
        'points.energy.balance: is above the cap of 25',
      ],
      ['imported'],
    ]);
  });
});

it('events go on from where an imported user was, exactly as for one who sent them all', async () => {
  const { admin, events, points } = guerdon;
  await admin.createPointsSystems({ systems: [{ key: 'gems', name: 'Gems', levelBasis: LevelBasis.EARNED }] });
  await admin.createLevels({
    systemKey: 'gems',
    levels: [1n, 40n, 100n].map((at) => ({ key: `l${at}`, name: `L${at}`, points: at })),
  });
  const metric = (threshold: string, more: object = {}) =>
    ({ case: 'metric', value: { metricKey: 'files', threshold, ...more } }) as const;
  const filtered = { eventAttributes: [{ key: 'repo', value: 'a' }] };
  await admin.createTriggers({
    systemKey: 'gems',
    triggers: [
      { key: 'seven', points: 3n, type: metric('7') },
      { key: 'filtered', points: 11n, type: metric('2.5', filtered) },
      { key: 'later', points: 100n, status: TriggerStatus.INACTIVE, type: metric('10') },
    ],
  });
  const send = (id: string, value: string, repo: string) =>
    events.sendEvent({ metricKey: 'files', user: { id }, value, attributes: { repo } });
  for (const [value, repo] of [
    ['20.5', 'b'],
    ['6', 'a'],
    ['-9.25', 'a'],
    ['1.3', 'b'],
  ] as const)
    await send('grown', value, repo);
  await points.spendPoints({ userId: 'grown', systemKey: 'gems', amount: 5n, idempotencyKey: 's' });
  const { rows } = await guerdon.database.pool.query(
    `select s.key, a.balance, a.earned from accounts a join users u on u.id = a.user_id
      join points_systems s on s.id = a.system_id where u.external_id = 'grown' and a.version > 0`,
  );
  const had = Object.fromEntries(rows.map(({ key, balance, earned }) => [key, { balance, earned }]));
  expect(had.gems).toEqual({ balance: '26', earned: '31' });
  const moved = {
    userId: 'moved',
    points: had,
    metrics: { files: { total: '18.55', high: '26.5' } },
    triggers: { 'gems/filtered': { total: '-3.25', high: 6 } },
  };
  expect((await imports.run(await imports.ndjson([moved]))).counts).toEqual({ imported: 1 });

  for (const [value, repo] of [
    ['9.4', 'a'],
    ['0.1', 'b'],
    ['3', 'a'],
    ['7.95', 'a'],
    ['30', 'a'],
  ] as const) {
    const [grown, imported] = await Promise.all([send('grown', value, repo), send('moved', value, repo)]);
    expect(imported.total).toBe(grown.total);
    for (const system of ['gems', 'coins']) {
      const brief = ({ points }: typeof grown) => {
        const { added, total, levelChanged, level, pointsToNextLevel } = points[system] ?? {};
        const fires = points[system]?.awards.map((award) => [award.fires, award.amount]);
        return { added, total, levelChanged, level: level?.key, pointsToNextLevel, fires };
      };
      expect(brief(imported)).toEqual(brief(grown));
    }
  }
  const final = await balancesOf(guerdon.database, 'gems');
  expect(final.moved).toBe(final.grown);
});
