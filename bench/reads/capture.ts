import pg from 'pg';
import { createLog } from '../../src/log.ts';
import { start } from '../../src/process.ts';
import { KEY } from '../databases.ts';
import { callOnce } from '../load/calls.ts';
import type { Statement } from './statements.ts';

// Starts an API on the database, reads the points of one user a few times, and prints the statements that the last of these
// calls sent: what is measured beside Guerdon is what Guerdon really sends.

/** Its internal id is the same number, and nothing else in the statements is. */
const USER = 7;
const CALLS = 5;

const sent: Statement[] = [];
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  const [config] = args as [{ text?: string; values?: unknown[] } | string];
  if (typeof config === 'object' && config.text !== undefined)
    sent.push({ text: config.text, values: config.values ?? [] });
  return query.apply(this, args);
} as never;

const log = createLog('error');
const env = {
  ...process.env,
  GUERDON_ROLE: 'api',
  GUERDON_ADMIN_KEY: KEY,
  GUERDON_HTTP_PORT: '0',
  GUERDON_GRPC_PORT: '0',
};
const running = await start(env, log, () => {});
for (let call = 1; call <= CALLS; call += 1) {
  sent.length = 0;
  await callOnce(running.grpcPort as number, KEY, 'GetUserPoints', USER);
}
process.stdout.write(`statements ${JSON.stringify(sent)}\n`);
await running.close();
process.exit(0);
