import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect, it } from '@jest/globals';
import pino from 'pino';
import { readConfig } from '../../src/config.ts';
import { start } from '../../src/process.ts';
import { createDatabase } from '../support/database.ts';
import { environment } from '../support/guerdon.ts';

/** Listens on the port, unless somebody already does. */
async function occupy(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.once('error', () => resolve()).listen(port, '127.0.0.1', resolve));
  return server;
}

const log = pino({ level: 'silent' });

it('takes another port where a default one is taken, and says so clearly where a given one is', async () => {
  const database = await createDatabase();
  const blockers = [8080, 50051].map((port) =>
    createServer()
      .on('error', () => {})
      .listen(port, '127.0.0.1'),
  );
  const { GUERDON_HTTP_PORT: _http, GUERDON_GRPC_PORT: _grpc, ...env } = environment(database, 'postgres');
  const running = await start(env, log, () => {});
  expect([8080, 50051]).not.toContain(running.httpPort);
  expect([8080, 50051]).not.toContain(running.grpcPort);
  expect((await fetch(`http://127.0.0.1:${running.httpPort}/readyz`)).status).toBe(200);
  const taken = await occupy(0);
  const { port } = taken.address() as AddressInfo;
  await expect(start({ ...env, GUERDON_HTTP_PORT: String(port) }, log, () => {})).rejects.toThrow(
    `port ${port} is taken`,
  );
  await running.close();
  for (const server of [...blockers, taken]) server.close();
  await database.drop();
});

it('a key of the environment that has the prefix of another key is refused', async () => {
  const database = await createDatabase();
  const env = environment(database, 'postgres');
  const running = await start(env, log, () => {});
  const other = { ...env, GUERDON_ADMIN_KEY: 'test.ffffffffffffffffffffffffffffffff' };
  await expect(start(other, log, () => {})).rejects.toThrow('another key with the prefix test exists');
  const { GUERDON_ADMIN_KEY: _key, ...without } = env;
  const second = await start(without, log, () => {});
  expect(second.adminKey).toBeUndefined();
  await Promise.all([running.close(), second.close()]);
  await database.drop();
});

it.each([
  [{ GUERDON_ROLE: 'boss' }, 'GUERDON_ROLE'],
  [{ GUERDON_HTTP_PORT: '70000' }, 'GUERDON_HTTP_PORT'],
  [{ GUERDON_GRPC_PORT: 'x' }, 'GUERDON_GRPC_PORT'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
  [{ REDIS_URL: 'localhost' }, 'REDIS_URL'],
  [{ GUERDON_ADMIN_KEY: 'short' }, 'GUERDON_ADMIN_KEY'],
  [{ GUERDON_WEBHOOK_ALLOW_PRIVATE: '10.0.0.0/8, 10.0.0.1' }, 'GUERDON_WEBHOOK_ALLOW_PRIVATE'],
])('a wrong variable is named: %j', (env, name) => {
  expect(() => readConfig(env as never)).toThrow(name);
});

it.each([
  [undefined, false],
  ['', false],
  ['false', false],
  ['true', true],
  ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
])('GUERDON_WEBHOOK_ALLOW_PRIVATE of %j is read as %j', (value, read) => {
  expect(readConfig({ GUERDON_WEBHOOK_ALLOW_PRIVATE: value }).webhookAllowPrivate).toEqual(read);
});
