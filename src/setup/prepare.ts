import type { Config } from '../config.ts';
import type { Deployment } from '../context.ts';
import { Setting } from '../db/entities/setting.ts';
import { grantApplicationRole } from '../db/grants.ts';
import { migrate, openOrm } from '../db/orm.ts';
import { migrateQueue } from '../queue/backend.ts';
import { bootstrap, type Sources } from './bootstrap.ts';

export interface Prepared extends Deployment {
  /** The admin key, when it is known: given by configuration, or just made. */
  adminKey: string | undefined;
}

/** Brings the database to where this version can run on it: schema, roles, first project, first key. */
export async function prepareDatabase(config: Config, databaseUrl: string, sources: Sources): Promise<Prepared> {
  const ownerUrl = config.migrateDatabaseUrl ?? databaseUrl;
  await migrate(ownerUrl);
  if (config.redisUrl === undefined) await migrateQueue(ownerUrl);
  if (ownerUrl !== databaseUrl) await grantApplicationRole(ownerUrl, databaseUrl);
  const orm = await openOrm(databaseUrl);
  try {
    const adminKey = config.role === 'worker' ? undefined : await bootstrap(orm, config.adminKey, sources);
    const settings = await orm.em.fork().findAll(Setting);
    const value = (name: string) => settings.find((setting) => setting.name === name)?.value;
    return { databaseUrl, name: String(value('deployment')), lanes: Number(value('lanes')), orm, adminKey };
  } catch (error) {
    await orm.close(true);
    throw error;
  }
}
