import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities } from './entities/entities.ts';
import { isConflict } from './failures.ts';
import { Migration001Pipeline } from './migrations/001-pipeline.ts';
import { Migration002Economy } from './migrations/002-economy.ts';
import { Migration003Administration } from './migrations/003-administration.ts';
import { Migration004Triggers } from './migrations/004-triggers.ts';
import { Migration005Levels } from './migrations/005-levels.ts';
import { Migration006Clocks } from './migrations/006-clocks.ts';

import { Migration007Webhooks } from './migrations/007-webhooks.ts';

import { Migration008Keys } from './migrations/008-keys.ts';
import { Migration009Imports } from './migrations/009-imports.ts';

import { Migration011EventImports } from './migrations/011-event-imports.ts';
import { Migration012BoostHistory } from './migrations/012-boost-history.ts';
import { Migration013Contract } from './migrations/013-contract.ts';
import { Migration014Posting } from './migrations/014-posting.ts';
import { Migration015ImportPlaces } from './migrations/015-import-places.ts';
import { createPool } from './pool.ts';

export type Orm = MikroORM;

/** First key of the advisory lock under which one process at a time migrates. */
const MIGRATE_LOCK = 1_735_750_772;

/** In the order in which they run; forward only. */
const migrations = [
  { name: '001-pipeline', class: Migration001Pipeline },
  { name: '002-economy', class: Migration002Economy },
  { name: '003-administration', class: Migration003Administration },
  { name: '004-triggers', class: Migration004Triggers },
  { name: '005-levels', class: Migration005Levels },
  { name: '006-clocks', class: Migration006Clocks },
  { name: '007-webhooks', class: Migration007Webhooks },
  { name: '008-keys', class: Migration008Keys },
  { name: '009-imports', class: Migration009Imports },
  { name: '011-event-imports', class: Migration011EventImports },
  { name: '012-boost-history', class: Migration012BoostHistory },
  { name: '013-contract', class: Migration013Contract },
  { name: '014-posting', class: Migration014Posting },
  { name: '015-import-places', class: Migration015ImportPlaces },
];

/** Nobody waits for ever for a row that somebody else holds, and nobody holds one for ever. */
const ORM_LIMITS = ['timezone=UTC', 'jit=off', 'lock_timeout=10s', 'idle_in_transaction_session_timeout=15s'];

export async function openOrm(url: string): Promise<Orm> {
  return MikroORM.init({
    clientUrl: url,
    entities,
    extensions: [Migrator],
    migrations: { migrationsList: migrations, silent: true, snapshot: false, tableName: 'migrations' },
    pool: { min: 0, max: 5 },
    driverOptions: { options: ORM_LIMITS.map((setting) => `-c ${setting}`).join(' ') },
    discovery: { warnWhenNoEntities: false },
  });
}

const ATTEMPTS_MAX = 5;

/** Runs the work in one transaction, and again from the start where it meets a deadlock. */
export async function transact<T>(orm: Orm, work: (em: Orm['em']) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await orm.em.fork().transactional(work as never);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isConflict(error)) throw error;
    }
  }
}

/** Brings the database of this URL to the newest schema; of several processes at once, one does it. */
export async function migrate(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, name: 'guerdon-migrate', onError: () => {} });
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1, 0)', [MIGRATE_LOCK]);
    const orm = await openOrm(url);
    try {
      await orm.migrator.up();
    } finally {
      await orm.close(true);
    }
  } finally {
    client.release(true);
    await pool.end();
  }
}
