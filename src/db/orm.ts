import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities } from './entities/entities.ts';
import { Migration001Pipeline } from './migrations/001-pipeline.ts';

export type Orm = MikroORM;

/** In the order in which they run; forward only. */
const migrations = [{ name: '001-pipeline', class: Migration001Pipeline }];

export async function openOrm(url: string): Promise<Orm> {
  return MikroORM.init({
    clientUrl: url,
    entities,
    extensions: [Migrator],
    migrations: { migrationsList: migrations, snapshot: false, tableName: 'migrations' },
    pool: { min: 0, max: 5 },
    discovery: { warnWhenNoEntities: false },
  });
}

/** Brings the database of this URL to the newest schema; several processes may do so at once. */
export async function migrate(url: string): Promise<void> {
  const orm = await openOrm(url);
  try {
    await orm.em.getConnection().execute('select 1');
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
}
