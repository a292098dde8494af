import { describe, it } from '@jest/globals';
import { type RedisServer, startRedisServer } from './redis-server.ts';

export type BackendKind = 'postgres' | 'redis';

/** A describe for each kind of queue; where there is no Redis, a skipped test says that its half did not run. */
export function describeOnBackends(title: string, tests: (kind: BackendKind) => void): void {
  describe(`${title} (queue on postgres)`, () => tests('postgres'));
  if (process.env.GUERDON_TEST_REDIS !== undefined) describe(`${title} (queue on redis)`, () => tests('redis'));
  else it.skip(`${title} (queue on redis): NOT RUN, there is no Redis`, () => {});
}

/** A Redis that a test may flush and kill: a server of its own; undefined where there is no redis-server. */
export async function privateRedis(options?: { durable?: boolean }): Promise<RedisServer | undefined> {
  const binary = process.env.GUERDON_TEST_REDIS_SERVER;
  return binary === undefined ? undefined : startRedisServer(binary, options);
}

/** The Redis of the run; deployments in it do not meet, since each names its queue after itself. */
export function sharedRedisUrl(): string {
  const url = process.env.GUERDON_TEST_REDIS;
  if (url === undefined) throw new Error('there is no Redis');
  return url;
}

/** A test that needs a Redis of its own; where there is no redis-server, its title says that it did not run. */
export function itWithRedisServer(title: string, test: () => Promise<void>, timeoutMs?: number): void {
  if (process.env.GUERDON_TEST_REDIS_SERVER !== undefined) it(title, test, timeoutMs);
  else it.skip(`${title}: NOT RUN, there is no redis-server`, () => {});
}
