import type { Config } from '../config.ts';
import { runningEmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded.ts';

/** Runs `work` on the deployment's database: the given one, the embedded one that is running, or else starts that. */
export async function withDatabase<T>(config: Config, work: (url: string) => Promise<T>): Promise<T> {
  const url = config.databaseUrl ?? (await runningEmbeddedPostgres(config.dataDir))?.url;
  if (url !== undefined) return work(url);
  const database = await startEmbeddedPostgres({ dir: config.dataDir });
  try {
    return await work(database.url);
  } finally {
    await database.stop();
  }
}
