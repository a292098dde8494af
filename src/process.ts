import { setTimeout as sleep } from 'node:timers/promises';
import type pino from 'pino';
import { startWorkers, type Workers } from '../workers/run.ts';
import type { SettleCommand } from './commands/command.ts';
import { type Config, type Port, readConfig } from './config.ts';
import { type Context, closeContext, createContext } from './context.ts';
import { startEmbeddedPostgres } from './db/embedded.ts';
import { createLog } from './log.ts';
import { Ingest } from './queue/ingest.ts';
import { restSurface } from './rest/server.ts';
import { ApiKeys } from './rpc/auth.ts';
import type { Api } from './rpc/call.ts';
import { type Listening, startGrpcServer } from './rpc/grpc-server.ts';
import { startHttpServer } from './rpc/http-server.ts';
import { KeyUses } from './rpc/key-uses.ts';
import { OpenStreams } from './rpc/open-streams.ts';
import { RateLimits } from './rpc/rate-limits.ts';
import { intakes, routes, streams } from './rpc/routes.ts';
import { createRead } from './rpc/standings.ts';
import { Watch } from './rpc/watch.ts';
import { banner } from './setup/banner.ts';
import { prepareDatabase } from './setup/prepare.ts';
import { uuidMaker } from './uuids.ts';

export interface Running {
  config: Config;
  context: Context;
  httpPort: number | undefined;
  grpcPort: number | undefined;
  workers: Workers | undefined;
  /** Where it is known: configured, or just made. */
  adminKey: string | undefined;
  /** Takes no more calls, finishes those under way, then stops what was started. */
  close(): Promise<void>;
}

type Close = () => Promise<void>;

/** A part that waits for a queue or a database that is away is left behind; what it held comes back by itself. */
const CLOSE_STEP_MS = 10_000;
/** A settlement that takes longer is asked for again. */
const SETTLE_WAIT_MS = 10_000;

async function within(ms: number, work: Promise<void>): Promise<void> {
  const late = new AbortController();
  const limit = sleep(ms, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error(`not stopped within ${ms} ms`);
  });
  await Promise.race([work, limit]).finally(() => late.abort());
}

/** Starts what the role asks for; on a failure half way, what was started is stopped again. `now`: epoch milliseconds. */
export async function start(
  env: Readonly<Record<string, string | undefined>>,
  log: pino.Logger,
  say: (message: string) => void,
  now: () => number = Date.now,
): Promise<Running> {
  const config = readConfig(env);
  const closing: Close[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) {
      await within(CLOSE_STEP_MS, step()).catch((err: unknown) => log.error({ err }, 'stopping failed'));
    }
  };
  try {
    const databaseUrl = config.databaseUrl ?? (await startDatabase(config, closing, say));
    const uuid = uuidMaker();
    const prepared = await prepareDatabase(config, databaseUrl, { now, uuid });
    const context = createContext(config, prepared, {
      log,
      now,
      uuid,
      random: Math.random,
    });
    closing.push(() => closeContext(context));
    const api = config.role === 'worker' ? undefined : await startIngest(context, closing);
    const workers = config.role === 'api' ? undefined : startApplying(context, api, closing);
    const ports = api === undefined ? undefined : await startServers(api, closing);
    const { adminKey } = prepared;
    return { config, context, httpPort: ports?.http, grpcPort: ports?.grpc, workers, adminKey, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startDatabase(config: Config, closing: Close[], say: (message: string) => void): Promise<string> {
  const database = await startEmbeddedPostgres({ dir: config.dataDir, say });
  closing.push(() => database.stop());
  return database.url;
}

async function startIngest(context: Context, closing: Close[]): Promise<Api> {
  const { backend, replies, pool, address, now, log, config } = context;
  const onError = (err: Error) => log.warn({ err }, 'queue not reached');
  const ingest = new Ingest({ backend, replies, pool, address, inFlightMax: config.inFlightMax, now, onError });
  await ingest.start();
  closing.push(() => ingest.close());
  const watch = new Watch(context, (user) => settleDue(context, ingest, user));
  const limits = new RateLimits(context);
  return { context, ingest, streams: new OpenStreams(context), watch, limits, read: createRead(context) };
}

function settleDue({ uuid, now }: Context, ingest: Ingest, user: { projectId: string; user: string }) {
  const command: SettleCommand = { kind: 'settle', id: uuid(), ...user, receivedAt: now() };
  return Promise.all(ingest.submit([command], now() + SETTLE_WAIT_MS));
}

function startApplying(context: Context, api: Api | undefined, closing: Close[]): Workers {
  const workers = startWorkers(context, (id, outcome) => api?.ingest.settle(id, outcome) ?? false);
  closing.push(() => workers.close());
  return workers;
}

async function startServers(api: Api, closing: Close[]): Promise<{ http: number; grpc: number }> {
  const { config, pool, now, log } = api.context;
  const uses = new KeyUses(pool, (err) => log.warn({ err }, 'uses of API keys not written'));
  closing.push(() => uses.close());
  const keys = new ApiKeys({ db: pool, now, uses, limit: config.rateLimit });
  const { host } = config;
  const served = { routes, streams, intakes };
  const rest = restSurface(api, keys);
  const grpc = await onPort(config.grpcPort, (port) => startGrpcServer(api, keys, served, { host, port }));
  closing.push(() => grpc.close());
  const http = await onPort(config.httpPort, (port) => startHttpServer(api, keys, served, rest, { host, port }));
  closing.push(() => http.close());
  // Before the servers, which wait for the calls under way.
  closing.push(async () => api.streams.close());
  return { http: http.port, grpc: grpc.port };
}

/** Listens on the port, or on any free one where it is taken and nobody asked for it. */
async function onPort(port: Port, listen: (port: number) => Promise<Listening>): Promise<Listening> {
  try {
    return await listen(port.number);
  } catch (error) {
    if (!/EADDRINUSE|address already in use/i.test((error as Error).message)) throw error;
    if (port.given) throw new Error(`port ${port.number} is taken; choose another one, or 0 for any that is free`);
    return listen(0);
  }
}

/** The whole life of a process: start, banner, and an orderly end on SIGINT or SIGTERM; a second signal ends at once. */
export async function runProcess(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const say = (message: string) => process.stdout.write(`${message}\n`);
  let log: pino.Logger;
  let running: Running;
  try {
    log = createLog(env.GUERDON_LOG_LEVEL || 'warn');
    running = await start(env, log, say);
  } catch (error) {
    process.stderr.write(`guerdon could not start: ${(error as Error).message}\n`);
    process.exitCode = 1;
    return;
  }
  say(banner({ ...running, databaseUrl: running.context.databaseUrl }));
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    say('stopping …');
    void running.close().then(() => {
      log.info({ attempts: running.workers?.attempts }, 'stopped');
      process.exit(0);
    });
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
