import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiKeyKind, type CreatedApiKey } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import {
  type Clients,
  clientsOf,
  environment,
  KEY,
  spawnGuerdon,
  startGuerdon,
  type TestGuerdon,
} from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
});
afterAll(() => guerdon.close());

const DAY_S = 86_400n;
const days = (seconds: bigint) => ({ seconds, nanos: 0 });
const withKey = (key: string) => clientsOf(guerdon.grpcPort, key);
const isTaken = ({ admin }: Clients) =>
  admin.getProject({}).then(
    () => true,
    (thrown) => {
      expect(ConnectError.from(thrown).code).toBe(Code.Unauthenticated);
      return false;
    },
  );

interface Made {
  key: string;
  prefix: string;
  message: CreatedApiKey['apiKey'];
}

const made = ({ key, apiKey }: CreatedApiKey): Made => ({ key, prefix: apiKey?.prefix ?? '', message: apiKey });

async function makeKey(more: object = {}): Promise<Made> {
  const { created } = await guerdon.admin.createApiKeys({ keys: [{ kind: ApiKeyKind.ADMIN, name: 'k', ...more }] });
  return made(created[0] as CreatedApiKey);
}

async function rotate(prefix: string, overlap: bigint): Promise<Made> {
  const { created, issues } = await guerdon.admin.rotateApiKeys({ rotations: [{ prefix, overlap: days(overlap) }] });
  expect(issues).toEqual([]);
  return made(created[0] as CreatedApiKey);
}

const wrong = (issues: { index: number; field: string }[]) => issues.map(({ index, field }) => [index, field]);

describe('a key that is rotated', () => {
  it('is taken beside its successor for as long as was said, and not a moment longer', async () => {
    const old = await makeKey({ name: 'CI', rateLimit: { requests: 1000, seconds: 60 } });
    const before = Date.now();
    const next = await rotate(old.prefix, DAY_S);
    expect(next.prefix).not.toBe(old.prefix);
    expect(next.message).toMatchObject({ name: 'CI', kind: ApiKeyKind.ADMIN, replaces: old.prefix });
    expect(next.message?.rateLimit).toMatchObject({ requests: 1000, seconds: 60 });
    expect(next.message?.expiresAt).toBeUndefined();
    expect(await isTaken(withKey(old.key))).toBe(true);
    expect(await isTaken(withKey(next.key))).toBe(true);
    const { apiKey } = await guerdon.admin.getApiKey({ prefix: old.prefix });
    const expiresAt = apiKey?.expiresAt === undefined ? 0 : timestampMs(apiKey.expiresAt);
    expect(expiresAt).toBeGreaterThanOrEqual(before + 86_400_000);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 86_400_000);

    await guerdon.database.pool.query('update api_keys set expires_at = now() where prefix = $1', [old.prefix]);
    await until(async () => !(await isTaken(withKey(old.key))), { what: 'the old key to be refused' });
    expect(await isTaken(withKey(next.key))).toBe(true);
  });

  it('without an overlap is archived, and its successor has what the key had', async () => {
    const expiresAt = timestampFromMs(Date.now() + 3_600_000);
    const kind = ApiKeyKind.APPLICATION;
    const old = await makeKey({ kind, name: 'app', userId: 'ada', expiresAt });
    const next = await rotate(old.prefix, 0n);
    expect(next.message).toMatchObject({ kind, userId: 'ada', expiresAt });
    const { apiKey } = await guerdon.admin.getApiKey({ prefix: old.prefix });
    expect(apiKey?.archivedAt).toBeDefined();
    const { rows } = await guerdon.database.pool.query('select to_jsonb(k)::text as row from api_keys k');
    expect(rows.map(({ row }) => row).join()).not.toContain(next.key.split('.')[1]);
    const { entries } = await guerdon.admin.listAuditEntries({ kind: 'api_key', key: next.prefix });
    expect(entries.map(({ change }) => change?.fields.map(({ field, after }) => [field, after]))).toEqual([
      [
        ['kind', 'application'],
        ['name', 'app'],
        ['replaces', old.prefix],
        ['expiresAt', new Date(timestampMs(expiresAt)).toISOString()],
      ],
    ]);
    const archived = await guerdon.admin.listAuditEntries({ kind: 'api_key', key: old.prefix });
    expect(archived.entries.map(({ change }) => change?.action)).toEqual(['archive', 'create']);
  });

  it('is refused where it makes no sense, item by item', async () => {
    const old = await makeKey();
    const owner = made(
      (await guerdon.admin.createApiKeys({ keys: [{ kind: ApiKeyKind.OWNER, name: 'o' }] }))
        .created[0] as CreatedApiKey,
    );
    await rotate(old.prefix, DAY_S);
    const gone = await makeKey();
    await guerdon.admin.archiveApiKeys({ prefixes: [gone.prefix] });
    const self = await makeKey();
    const { created, issues } = await withKey(self.key).admin.rotateApiKeys({
      rotations: [
        { prefix: old.prefix },
        { prefix: owner.prefix },
        { prefix: gone.prefix },
        { prefix: 'unknown' },
        { prefix: self.prefix },
        { prefix: self.prefix, overlap: days(DAY_S * 7n + 1n) },
        { prefix: self.prefix, overlap: days(-1n) },
        { prefix: self.prefix, overlap: days(DAY_S * 7n) },
      ],
    });
    expect(wrong(issues)).toEqual([
      [0, 'prefix'],
      [1, 'prefix'],
      [2, 'prefix'],
      [3, 'prefix'],
      [4, 'overlap'],
      [5, 'overlap'],
      [6, 'overlap'],
    ]);
    expect(created.map(({ apiKey }) => apiKey?.replaces)).toEqual([self.prefix]);
  });

  it('by many at once has one successor', async () => {
    const old = await makeKey();
    const asked = { rotations: [{ prefix: old.prefix, overlap: days(60n) }] };
    const answers = await Promise.all(Array.from({ length: 8 }, () => guerdon.admin.rotateApiKeys(asked)));
    expect(answers.flatMap(({ created }) => created)).toHaveLength(1);
    expect(answers.flatMap(({ issues }) => issues)).toHaveLength(7);
  });
});

describe('a key that expires', () => {
  it('does so by itself, and cannot have expired when it is made', async () => {
    const keys = [{ kind: ApiKeyKind.ADMIN, name: 'late', expiresAt: timestampFromMs(Date.now() - 1) }];
    const { created, issues } = await guerdon.admin.createApiKeys({ keys });
    expect([created, wrong(issues)]).toEqual([[], [[0, 'expires_at']]]);
    const soon = await makeKey({ expiresAt: timestampFromMs(Date.now() + 1_500) });
    expect(await isTaken(withKey(soon.key))).toBe(true);
    await until(async () => !(await isTaken(withKey(soon.key))), { what: 'the key to expire' });
    const { issues: late } = await guerdon.admin.rotateApiKeys({ rotations: [{ prefix: soon.prefix }] });
    expect(wrong(late)).toEqual([[0, 'prefix']]);
  });

  it('is told at the next start, where it is the configured one', async () => {
    const env = environment(guerdon.database, 'postgres', { GUERDON_ROLE: 'api' });
    const configured = 'gone.0123456789abcdef0123456789abcdef';
    await (await spawnGuerdon({ ...env, GUERDON_ADMIN_KEY: configured })).end();
    await guerdon.database.pool.query(`update api_keys set expires_at = now() where prefix = 'gone'`);
    await expect(spawnGuerdon({ ...env, GUERDON_ADMIN_KEY: configured })).rejects.toThrow('no longer taken');
  });
});

describe('the last use of a key', () => {
  const lastUse = async (prefix: string) => {
    const { apiKey } = await guerdon.admin.getApiKey({ prefix });
    return apiKey?.lastUsedAt === undefined ? undefined : timestampMs(apiKey.lastUsedAt);
  };

  beforeEach(async () => {
    const { pool } = guerdon.database;
    await pool.query('create table if not exists uses (prefix text)');
    await pool.query(`create or replace function note_use() returns trigger language plpgsql as $$
      begin insert into uses values (new.prefix); return new; end $$`);
    await pool.query(`create or replace trigger note_use after update of last_used_at on api_keys for each row
      execute function note_use()`);
  });
  const writes = async (prefix: string) =>
    (await guerdon.database.pool.query('select from uses where prefix = $1', [prefix])).rowCount;

  it('is written once a minute, by however many processes it is used', async () => {
    const { key, prefix } = await makeKey();
    expect(await lastUse(prefix)).toBeUndefined();
    const other = await spawnGuerdon(environment(guerdon.database, 'postgres', { GUERDON_ROLE: 'api' }));
    const before = Date.now();
    const callers = [withKey(key), clientsOf(other.grpcPort, key)];
    await Promise.all(Array.from({ length: 50 }, (_, index) => callers[index % 2]?.admin.getProject({})));
    await until(async () => (await lastUse(prefix)) !== undefined, { what: 'the use to be written' });
    expect(await lastUse(prefix)).toBeGreaterThanOrEqual(before);
    for (const caller of callers) await caller.admin.getProject({});
    await other.end();
    expect(await writes(prefix)).toBe(1);

    await guerdon.database.pool.query(`update api_keys set last_used_at = now() - interval '61 s' where prefix = $1`, [
      prefix,
    ]);
    await until(
      async () => {
        await withKey(key).admin.getProject({});
        return ((await lastUse(prefix)) ?? 0) >= before;
      },
      { what: 'the use of another minute to be written' },
    );
    expect(await writes(prefix)).toBe(3);
  });

  it('holds up no call, and is not that of somebody who only knows the prefix', async () => {
    const { key, prefix } = await makeKey();
    const client = await guerdon.database.pool.connect();
    await client.query('begin');
    await client.query('select from api_keys where prefix = $1 for update', [prefix]);
    expect(await isTaken(withKey(`${prefix}.${'x'.repeat(43)}`))).toBe(false);
    for (let call = 0; call < 3; call += 1) expect(await isTaken(withKey(key))).toBe(true);
    expect(await lastUse(prefix)).toBeUndefined();
    await client.query('rollback');
    client.release();
    expect(await isTaken(withKey(`${prefix}.${'x'.repeat(43)}`))).toBe(false);
    expect(await writes(prefix)).toBe(0);
    await until(
      async () => {
        await withKey(key).admin.getProject({});
        return (await lastUse(prefix)) !== undefined;
      },
      { what: 'a later use to be written' },
    );
  });

  it('is no reason for a call to fail', async () => {
    const { key, prefix } = await makeKey();
    const { pool } = guerdon.database;
    await pool.query(`create or replace function note_use() returns trigger language plpgsql as $$
      begin raise exception 'no'; end $$`);
    for (let call = 0; call < 3; call += 1) expect(await isTaken(withKey(key))).toBe(true);
    expect(await lastUse(prefix)).toBeUndefined();
    expect(await isTaken(withKey(KEY))).toBe(true);
  });
});

describe('a change of a key', () => {
  it('takes only what is given, and is in the audit log', async () => {
    const { prefix } = await makeKey();
    const update = async (more: object) => {
      const { updated, issues } = await guerdon.admin.updateApiKeys({ updates: [{ prefix, ...more }] });
      return issues.length > 0 ? wrong(issues) : [updated[0]?.name, updated[0]?.rateLimit];
    };
    const rateLimit = { requests: 50, seconds: 10 };
    expect(await update({ rateLimit })).toMatchObject(['k', rateLimit]);
    expect(await update({ name: 'named' })).toMatchObject(['named', rateLimit]);
    expect(await update({ rateLimit: { requests: 0, seconds: 0 } })).toMatchObject(['named', { requests: 0 }]);
    expect(await update({ defaultRateLimit: true })).toEqual(['named', undefined]);
    expect(await update({ rateLimit, defaultRateLimit: true })).toEqual([[0, '']]);
    for (const bad of [
      { requests: 1 },
      { seconds: 1 },
      { requests: -1, seconds: 1 },
      { requests: 1, seconds: 86_401 },
    ]) {
      expect((await update({ rateLimit: bad }))[0]).toEqual([0, expect.stringMatching(/^rate_limit/)]);
    }
    const { entries } = await guerdon.admin.listAuditEntries({ kind: 'api_key', key: prefix });
    const changes = entries
      .slice(0, -1)
      .map(({ change }) => change?.fields.map(({ before, after }) => [before, after]));
    expect(changes).toEqual([
      [['none', undefined]],
      [['50 in 10 s', 'none']],
      [['k', 'named']],
      [[undefined, '50 in 10 s']],
    ]);
  });
});
