import { userInfo } from 'node:os';
import { v7 } from 'uuid';
import { mintKey } from '../commands/api-keys.ts';
import type { Config } from '../config.ts';
import { migrate, openOrm } from '../db/orm.ts';
import { firstProject } from '../setup/bootstrap.ts';
import { withDatabase } from './database.ts';

/** Prints a new admin key of a project, or an owner key: the only time it can be seen. */
export async function keyCommand(config: Config, options: { project?: string; owner?: boolean }): Promise<void> {
  const projectKey = options.project;
  const kind = options.owner ? 'owner' : 'admin';
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
      const actor = `cli:${userInfo().username}`;
      const author = { projectId: project.id, actor, now: Date.now(), uuid: () => v7() };
      const { key } = await mintKey(em, author, { kind, name: kind, user: null });
      process.stdout.write(`${key}\n`);
    } finally {
      await orm.close(true);
    }
  });
}
