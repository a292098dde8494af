import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createPool } from '../../src/db/pool.ts';
import { type Clients, clientsOf, type GuerdonProcess, KEY, spawnGuerdon } from '../support/guerdon.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { loadBalances, startLoad } from '../support/load.ts';
import { until } from '../support/wait.ts';

const LOAD = { count: 400, users: 10 };

it('the whole of it on its embedded database: a kill leaves PostgreSQL behind, and the next start takes over', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'guerdon-embedded-'));
  await chmod(dir, 0o755);
  const env = { GUERDON_DATA_DIR: dir, GUERDON_HTTP_PORT: '0', GUERDON_GRPC_PORT: '0', GUERDON_ADMIN_KEY: KEY };
  let guerdon: GuerdonProcess = await spawnGuerdon(env);
  let clients: Clients = clientsOf(guerdon.grpcPort);
  await expect(spawnGuerdon(env)).rejects.toThrow(/is using/);
  const load = startLoad(() => clients, LOAD);
  await until(() => load.answered >= 150, { what: '150 answers' });
  await guerdon.end('SIGKILL');
  guerdon = await spawnGuerdon({ ...env, GUERDON_ADMIN_KEY: '' });
  clients = clientsOf(guerdon.grpcPort);
  await load.done;
  expect(guerdon.output()).toContain('made at an earlier start; another one: npm run guerdon -- key');
  const url = /database +(postgresql:\S+)/.exec(guerdon.output())?.[1] as string;
  const pool = createPool({ url, max: 2, name: 'test', onError: () => {} });
  const database = { url, pool, drop: () => pool.end() };
  expect(await balancesOf(database, 'xp')).toEqual(loadBalances(LOAD));
  await expectSound(database);
  await database.drop();
  expect(await guerdon.end('SIGINT')).toBe(0);
  await rm(dir, { recursive: true, force: true });
}, 120_000);
