import { toBinary } from '@bufbuild/protobuf';
import { createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { expect } from '@jest/globals';
import { PointsService, WatchUserPointsResponseSchema } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { createDatabase } from './database.ts';
import { type Clients, clientsOf, environment, KEY, spawnGuerdon } from './guerdon.ts';
import { expectSound } from './ledger.ts';
import { INSPECTED, type Memory, memoryOf } from './memory.ts';
import { expectWhole, watchLazily, watchUntil } from './watchers.ts';

/** One process that is watched, and another that writes. */
async function startPair() {
  const database = await createDatabase();
  const [watched, writing] = await Promise.all([
    spawnGuerdon(environment(database, 'postgres', { GUERDON_ROLE: 'api', ...INSPECTED })),
    spawnGuerdon(environment(database, 'postgres')),
  ]);
  return {
    watched,
    here: clientsOf(watched.grpcPort),
    there: clientsOf(writing.grpcPort),
    lazily: (index: number, user: string) =>
      index % 2 === 0 ? watchLazily(watched.grpcPort, 'grpc', user) : watchLazily(watched.httpPort, 'connect', user),
    end: async () => {
      await Promise.all([watched.end(), writing.end()]);
      await expectSound(database);
      await database.drop();
    },
  };
}

function overHttp(port: number, httpVersion: '1.1' | '2'): Clients['points'] {
  const withKey: Interceptor = (next) => (request) => {
    request.header.set('x-api-key', KEY);
    return next(request);
  };
  const baseUrl = `http://127.0.0.1:${port}`;
  return createClient(PointsService, createConnectTransport({ baseUrl, httpVersion, interceptors: [withKey] }));
}

/** 500 watchers of 100 users over gRPC and HTTP, and 20 who do not read, while another process makes so many changes of each. */
export async function watchInCrowd(changes: number): Promise<void> {
  const pair = await startPair();
  const users = Array.from({ length: 100 }, (_, index) => `crowd${index}`);
  const round = async () => {
    const events = users.map((id) => ({ metricKey: 'lessons', user: { id }, value: '1' }));
    const { results } = await pair.there.events.sendEvents({ events });
    expect(results.every(({ result }) => result.case === 'event')).toBe(true);
  };
  await round();
  const last = BigInt(1 + changes);
  const lazies = await Promise.all(users.slice(0, 20).map((user, index) => pair.lazily(index, user)));
  const { httpPort } = pair.watched;
  const kinds = [pair.here.points, overHttp(httpPort, '2'), pair.here.points, overHttp(httpPort, '1.1')];
  const watchers = Array.from({ length: 500 }, (_, index) =>
    watchUntil(kinds[index % kinds.length] as Clients['points'], users[index % users.length] as string, last),
  );
  for (let made = 0; made < changes; made += 1) await round();
  for (const seen of await Promise.all(watchers)) {
    expectWhole(seen);
    expect(seen.at(-1)?.total).toBe(last * 10n);
  }
  for (const lazy of lazies) {
    const seen = await lazy.readUntil(last);
    expectWhole(seen);
    expect([seen[0]?.version, seen.at(-1)?.version]).toEqual([1n, last]);
    lazy.close();
  }
  await pair.end();
}

/**
 * What the watched process holds after `changes` and after ten times as many, with 100 callers who read none of them, and
 * how many bytes the changes between would be for all of these callers together.
 */
export async function holdUnread(changes: number): Promise<{ few: Memory; many: Memory; unread: number }> {
  const pair = await startPair();
  const userId = 'busy';
  await pair.there.events.sendEvent({ metricKey: 'lessons', user: { id: userId }, value: '1' });
  const lazies = await Promise.all(Array.from({ length: 100 }, (_, index) => pair.lazily(index, userId)));
  const reason = 'r'.repeat(500);
  let made = 0;
  /** Makes changes up to so many, and waits until the process has told one who reads of all of them. */
  const changeTo = async (count: number) => {
    const seen = watchUntil(pair.here.points, userId, BigInt(1 + count));
    while (made < count) {
      const some = Array.from({ length: Math.min(100, count - made) }, (_, index) => `k${made + index}`);
      made += some.length;
      const grant = { userId, systemKey: 'xp', amount: 1n, reason };
      await Promise.all(some.map((idempotencyKey) => pair.there.points.adjustPoints({ ...grant, idempotencyKey })));
    }
    return seen;
  };
  await changeTo(changes);
  const few = await memoryOf(pair.watched);
  const between = await changeTo(10 * changes);
  const many = await memoryOf(pair.watched);
  const bytes = between.map((answer) => toBinary(WatchUserPointsResponseSchema, answer).length);
  const last = BigInt(1 + 10 * changes);
  for (const lazy of [lazies[0], lazies[1]]) {
    const seen = (await lazy?.readUntil(last)) ?? [];
    expectWhole(seen);
    expect([seen[0]?.version, seen.at(-1)?.version]).toEqual([1n, last]);
  }
  for (const lazy of lazies) lazy.close();
  await pair.end();
  return { few, many, unread: bytes.reduce((sum, length) => sum + length, 0) * lazies.length };
}
