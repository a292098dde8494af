import { create, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { EventService, SendEventRequestSchema } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { GetUserPointsRequestSchema, PointsService } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import type { CallName, LoadSpec } from './spec.ts';

/** Calls that wait on one connection at most. */
const PER_CHANNEL = 64;
/** Nobody is slower than this without being broken. */
const DEADLINE_MS = 60_000;

/** Calls the server; the answer is received and not read, since what the load costs is missing to the server. */
export interface Caller {
  /** Rejects where the call fails. */
  call(user: number): Promise<void>;
  close(): void;
}

type Called = Pick<LoadSpec, 'port' | 'key' | 'call' | 'seed'>;

interface Rpc {
  path: string;
  message(user: number, n: number): Uint8Array;
}

const RPCS: Record<CallName, (seed: number) => Rpc> = {
  SendEvent: (seed) => ({
    path: `/${EventService.typeName}/${EventService.method.sendEvent.name}`,
    message: (user, n) =>
      toBinary(
        SendEventRequestSchema,
        create(SendEventRequestSchema, {
          metricKey: 'lessons',
          user: { id: `user-${user}` },
          value: '1',
          idempotencyKey: `${seed}-${n}`,
        }),
      ),
  }),
  GetUserPoints: () => ({
    path: `/${PointsService.typeName}/${PointsService.method.getUserPoints.name}`,
    message: (user) =>
      toBinary(
        GetUserPointsRequestSchema,
        create(GetUserPointsRequestSchema, { userId: `user-${user}`, systemKey: 'xp', awards: 10 }),
      ),
  }),
};

export function openCaller({ port, key, call, seed }: Called, inFlight: number): Caller {
  const channels = Array.from(
    { length: Math.max(1, Math.ceil(inFlight / PER_CHANNEL)) },
    () =>
      new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const metadata = new grpc.Metadata();
  metadata.set('x-api-key', key);
  const { path, message } = RPCS[call](seed);
  let n = 0;
  return {
    call(user) {
      n += 1;
      const bytes = message(user, n) as Buffer;
      const channel = channels[n % channels.length] as grpc.Client;
      return new Promise((resolve, reject) => {
        const answered = (error: grpc.ServiceError | null): void => (error === null ? resolve() : reject(error));
        const options = { deadline: Date.now() + DEADLINE_MS };
        channel.makeUnaryRequest(path, toBuffer, asItIs, bytes, metadata, options, answered);
      });
    },
    close: () => {
      for (const channel of channels) channel.close();
    },
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

/** One call over a connection of its own. */
export async function callOnce(port: number, key: string, call: CallName, user: number): Promise<void> {
  const caller = openCaller({ port, key, call, seed: 0 }, 1);
  await caller.call(user).finally(() => caller.close());
}
