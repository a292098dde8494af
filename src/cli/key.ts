import { v7 } from 'uuid';
import type { Config } from '../config.ts';
import { migrate, openOrm } from '../db/orm.ts';
import { firstProject, mintKey } from '../setup/bootstrap.ts';
import { withDatabase } from './database.ts';

/** Prints a new admin key of a project: the only time it can be seen. */
export async function keyCommand(config: Config, projectKey: string | undefined): Promise<void> {
  await withDatabase(config, async (url) => {
    await migrate(config.migrateDatabaseUrl ?? url);
    const orm = await openOrm(url);
    try {
      const em = orm.em.fork();
      const project = await firstProject(em, projectKey);
      if (project === undefined) {
        throw new Error(
          projectKey === undefined
            ? 'there is no project yet: start Guerdon once'
            : `there is no project ${projectKey}`,
        );
      }
      process.stdout.write(`${await mintKey(em, project, { now: Date.now, uuid: () => v7() })}\n`);
    } finally {
      await orm.close(true);
    }
  });
}
