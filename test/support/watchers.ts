import { once } from 'node:events';
import * as http2 from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect } from '@jest/globals';
import {
  WatchUserPointsRequestSchema,
  type WatchUserPointsResponse,
  WatchUserPointsResponseSchema,
} from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { type Clients, KEY } from './guerdon.ts';

/** Takes what is sent of a user's xp until a version is reached; gives all of it. */
export async function watchUntil(
  points: Clients['points'],
  userId: string,
  version: bigint,
): Promise<WatchUserPointsResponse[]> {
  const seen: WatchUserPointsResponse[] = [];
  for await (const answer of points.watchUserPoints({ userId, systemKey: 'xp' })) {
    seen.push(answer);
    if (answer.version >= version) break;
  }
  return seen;
}

/** Each answer continues the one before: no change is missing, none comes twice. */
export function expectWhole(seen: readonly WatchUserPointsResponse[]): void {
  const steps = seen.map(({ version, total, entry }, index) => {
    const before = seen[index - 1];
    return before === undefined
      ? entry === undefined
      : version === before.version + 1n && total === before.total + (entry?.amount ?? 0n);
  });
  expect(steps).toEqual(steps.map(() => true));
}

export interface Lazy {
  /** Reads at last, until a version is reached; gives all that was sent since the beginning. */
  readUntil(version: bigint): Promise<WatchUserPointsResponse[]>;
  close(): void;
}

const PROTOCOLS = {
  grpc: { 'content-type': 'application/grpc+proto', te: 'trailers' },
  connect: { 'content-type': 'application/connect+proto', 'connect-protocol-version': '1' },
};

/** A caller who watches a user's xp and does not read what comes: so nothing but the window of its stream is sent. */
export async function watchLazily(port: number, protocol: keyof typeof PROTOCOLS, userId: string): Promise<Lazy> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/guerdon.v1.PointsService/WatchUserPoints',
    'x-api-key': KEY,
    ...PROTOCOLS[protocol],
  });
  const request = create(WatchUserPointsRequestSchema, { userId, systemKey: 'xp' });
  stream.end(enveloped(toBinary(WatchUserPointsRequestSchema, request)));
  const [headers] = await once(stream, 'response');
  expect(headers[':status']).toBe(200);
  return {
    readUntil: async (version) => {
      const seen: WatchUserPointsResponse[] = [];
      let rest = Buffer.alloc(0);
      for await (const chunk of stream) {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
          const end = 5 + rest.readUInt32BE(1);
          seen.push(fromBinary(WatchUserPointsResponseSchema, rest.subarray(5, end)));
          rest = rest.subarray(end);
        }
        if ((seen.at(-1)?.version ?? 0n) >= version) break;
      }
      return seen;
    },
    close: () => session.destroy(),
  };
}

/** As both protocols send a message: a byte of flags and four of its length before it. */
function enveloped(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
