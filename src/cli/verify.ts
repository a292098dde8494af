import type { Config } from '../config.ts';
import { createPool } from '../db/pool.ts';
import { Programs } from '../db/programs.ts';
import { verify } from '../ledger/verify.ts';
import { withDatabase } from './database.ts';

/** Users that are looked at at once. */
const ABREAST = 8;

/** Prints what was checked; the exit status is 1 when a row is wrong. Meant for a deployment at rest. */
export async function verifyCommand(config: Config): Promise<void> {
  await withDatabase(config, async (url) => {
    const pool = createPool({ url, max: ABREAST, name: 'guerdon-verify', onError: () => {} });
    try {
      const { users, events, entries, fault } = await verify(pool, new Programs(), { abreast: ABREAST });
      if (fault === undefined) {
        process.stdout.write(`verified: ${users} users, ${events} events, ${entries} entries, all as they must be\n`);
      } else {
        process.stdout.write(`${fault.row}: ${fault.fault}\n`);
        process.exitCode = 1;
      }
    } finally {
      await pool.end();
    }
  });
}
