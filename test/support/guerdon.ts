import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import pino from 'pino';
import { AchievementService } from '../../src/gen/guerdon/v1/achievement_service_pb.ts';
import { AdminService } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { BoostService } from '../../src/gen/guerdon/v1/boost_service_pb.ts';
import { EventService } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { PointsService } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { UserService } from '../../src/gen/guerdon/v1/user_service_pb.ts';
import { WebhookService } from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import { type Running, start } from '../../src/process.ts';
import { type BackendKind, sharedRedisUrl } from './backends.ts';
import { createDatabase, type TestDatabase } from './database.ts';

export const KEY = 'test.0123456789abcdef0123456789abcdef';

export interface Clients {
  events: Client<typeof EventService>;
  points: Client<typeof PointsService>;
  boosts: Client<typeof BoostService>;
  admin: Client<typeof AdminService>;
  users: Client<typeof UserService>;
  achievements: Client<typeof AchievementService>;
  webhooks: Client<typeof WebhookService>;
}

/** Native gRPC, with a key. */
export function transportOf(grpcPort: number, key: string): Transport {
  const withKey: Interceptor = (next) => (request) => {
    if (key !== '') request.header.set('x-api-key', key);
    return next(request);
  };
  return createGrpcTransport({ baseUrl: `http://127.0.0.1:${grpcPort}`, interceptors: [withKey] });
}

/** Typed clients over native gRPC. */
export function clientsOf(grpcPort: number, key: string = KEY): Clients {
  const transport = transportOf(grpcPort, key);
  return {
    events: createClient(EventService, transport),
    points: createClient(PointsService, transport),
    boosts: createClient(BoostService, transport),
    admin: createClient(AdminService, transport),
    users: createClient(UserService, transport),
    achievements: createClient(AchievementService, transport),
    webhooks: createClient(WebhookService, transport),
  };
}

export interface TestGuerdon extends Clients {
  database: TestDatabase;
  running: Running;
  grpcPort: number;
  httpPort: number;
  close(): Promise<void>;
}

/** The environment of a process of the deployment on this database. */
export function environment(database: TestDatabase, kind: BackendKind, more: Record<string, string> = {}) {
  return {
    DATABASE_URL: database.url,
    ...(kind === 'redis' && { REDIS_URL: sharedRedisUrl() }),
    GUERDON_HTTP_PORT: '0',
    GUERDON_GRPC_PORT: '0',
    GUERDON_ADMIN_KEY: KEY,
    ...more,
  };
}

/** A whole Guerdon in this process, on a database of its own unless one is given. */
export async function startGuerdon(
  kind: BackendKind = 'postgres',
  more: Record<string, string> = {},
  now: () => number = Date.now,
  given?: TestDatabase,
): Promise<TestGuerdon> {
  const database = given ?? (await createDatabase());
  const log = pino({ level: process.env.GUERDON_LOG_LEVEL ?? 'silent' });
  const running = await start(environment(database, kind, more), log, () => {}, now);
  const grpcPort = running.grpcPort as number;
  return {
    ...clientsOf(grpcPort),
    database,
    running,
    grpcPort,
    httpPort: running.httpPort as number,
    async close() {
      await running.close();
      await database.drop();
    },
  };
}

export interface GuerdonProcess {
  child: ChildProcess;
  grpcPort: number;
  httpPort: number;
  /** All that it has printed so far. */
  output(): string;
  /** Sends the signal and waits for the end; gives the exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

const ROOT = join(import.meta.dirname, '../..');

/** Of every process that a test starts: nothing of the tester's own, and code that is compiled once for the whole run. */
export const bareEnv = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_COMPILE_CACHE: process.env.GUERDON_TEST_COMPILED,
};

/** A process of its own, ready when its banner is printed. */
export async function spawnGuerdon(env: Record<string, string>): Promise<GuerdonProcess> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: { ...bareEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk;
      if (output.includes('Guerdon is ready')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`guerdon ended with ${code} before it was ready:\n${output}`)));
  });
  await ready;
  const portIn = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  return {
    child,
    grpcPort: portIn(/grpc +localhost:(\d+)/),
    httpPort: portIn(/http +http:\/\/localhost:(\d+)/),
    output: () => output,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
}
