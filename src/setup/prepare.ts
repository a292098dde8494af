import type { Config } from '../config.ts';
import { grantApplicationRole } from '../db/grants.ts';
import { migrate, openOrm } from '../db/orm.ts';
import { migrateQueue } from '../queue/backend.ts';
import { bootstrap, type Sources } from './bootstrap.ts';

export interface Prepared {
  /** The admin key, when it is known: given by configuration, or just made. */
  adminKey: string | undefined;
}

/** Brings the database to where this version can run on it: schema, roles, first project, first key. */
export async function prepareDatabase(config: Config, databaseUrl: string, sources: Sources): Promise<Prepared> {
  const ownerUrl = config.migrateDatabaseUrl ?? databaseUrl;
  await migrate(ownerUrl);
  if (config.redisUrl === undefined) await migrateQueue(ownerUrl);
  if (ownerUrl !== databaseUrl) await grantApplicationRole(ownerUrl, databaseUrl);
  if (config.role === 'worker') return { adminKey: undefined };
  const orm = await openOrm(databaseUrl);
  try {
    return { adminKey: await bootstrap(orm, config.adminKey, sources) };
  } finally {
    await orm.close(true);
  }
}
