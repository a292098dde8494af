import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter, cors, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ServerReflection, type ServerReflectionRequest } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ApiKeys } from './auth.ts';
import type { Api, IntakeRoute, Served, StreamRoute } from './call.ts';
import { CLOSE_MS, type Listening } from './grpc-server.ts';
import { invoke, invokeIntake, invokeStream } from './invoke.ts';
import { callerGone } from './open-streams.ts';
import { plainPages } from './pages.ts';
import { rateHeaders } from './rate-limits.ts';
import { reflect } from './reflection.ts';
import { CODE_NUMBERS, detailsOf, toGuerdonError } from './status.ts';

const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;
/** A longer timeout no timer can hold; that of a call with one answer is cut where it is handled. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** How long a connection may take to show which HTTP it speaks. */
const SNIFF_MS = 10_000;
const IDLE_CHECK_MS = 20;
/** A file of an import is one request, and arrives no faster than it is stored. */
const UPLOAD_MAX_MS = 24 * 3_600_000;
/** What an HTTP/2 client sends first; RFC 9113, section 3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0');
const PREFACE_DECIDES = 3;
const CORS_MAX_AGE_S = 7_200;
/** What they may read besides. */
const EXPOSED = ['x-request-id', 'retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
/** What browsers may send besides what Connect needs. */
const METHODS = ['PUT', 'PATCH', 'DELETE'];
const HEADERS = [
  'x-api-key',
  'authorization',
  'idempotency-key',
  'tenant-id',
  'x-sdk-version',
  'x-fern-language',
  'x-fern-runtime',
  'x-fern-runtime-version',
];

/** Takes a request that is its own to answer; false: it is somebody else's. */
export type Beside = (request: http.IncomingMessage, response: http.ServerResponse) => boolean;

/** Connect, gRPC-Web and gRPC over HTTP/1.1 and cleartext HTTP/2 on one port, what stands beside, and the plain pages. */
export async function startHttpServer(
  api: Api,
  keys: ApiKeys,
  { routes, streams, intakes }: Served,
  beside: Beside,
  at: { host: string; port: number },
): Promise<Listening> {
  const services = [...new Set([...routes, ...streams, ...intakes].map((route) => route.method.parent))];
  const rpc = connectNodeAdapter({
    routes: (router) => {
      for (const route of routes) {
        router.rpc(route.method, (request: Message, context: HandlerContext) =>
          invoke(
            api,
            keys,
            route,
            request,
            (name) => context.requestHeader.get(name) ?? undefined,
            context.timeoutMs(),
          ).catch((error: unknown) => {
            throw failure(error, api);
          }),
        );
      }
      for (const route of streams) addStream(router, api, keys, route);
      for (const route of intakes) addIntake(router, api, keys, route);
      addReflection(router, services);
    },
    readMaxBytes: MESSAGE_MAX_BYTES,
    maxTimeoutMs: TIMEOUT_MAX_MS,
    fallback: plainPages(api) as never,
  });
  const origins = new Set(api.context.config.corsOrigins);
  const handler = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    if (allowOrigin(origins, request, response) && !beside(request, response)) rpc(request, response);
  };
  const h1 = http.createServer({ requestTimeout: UPLOAD_MAX_MS }, handler);
  const h2 = http2.createServer({}, handler as never);
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  const sockets = new Set<net.Socket>();
  const undecided = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    undecided.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      undecided.delete(socket);
    });
    sniff(socket, (http) => {
      undecided.delete(socket);
      (http === 2 ? h2 : h1).emit('connection', socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of undecided) socket.destroy();
      for (const session of sessions) session.close();
      const idle = setInterval(() => h1.closeIdleConnections(), IDLE_CHECK_MS);
      const force = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_MS);
      await closed;
      clearInterval(idle);
      clearTimeout(force);
    },
  };
}

function failure(thrown: unknown, api: Api): ConnectError {
  const error = toGuerdonError(thrown, api.context.log);
  const headers = error.rate && rateHeaders(error.rate, { refused: true });
  return new ConnectError(error.message, CODE_NUMBERS[error.code] as Code, headers, detailsOf(error) as never);
}

function addStream(router: ConnectRouter, api: Api, keys: ApiKeys, route: StreamRoute): void {
  router.rpc(route.method, async function* (request: Message, context: HandlerContext) {
    const headers = (name: string) => context.requestHeader.get(name) ?? undefined;
    const { signal } = context;
    const stop = new AbortController();
    const end = () => stop.abort(callerGone());
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
    try {
      yield* invokeStream(api, keys, route, request, headers, stop) as AsyncIterable<never>;
    } catch (error) {
      if (!signal.aborted) throw failure(error, api);
      if (ConnectError.from(signal.reason).code === Code.DeadlineExceeded) throw signal.reason;
      // The caller has gone. Were the answer ended, it would be written to a stream that is no more, with a complaint.
      await new Promise<never>(() => {});
    }
  });
}

function addIntake(router: ConnectRouter, api: Api, keys: ApiKeys, route: IntakeRoute): void {
  router.rpc(route.method, (requests: AsyncIterable<Message>, context: HandlerContext) => {
    const headers = (name: string) => context.requestHeader.get(name) ?? undefined;
    const stop = new AbortController();
    const end = () => stop.abort(callerGone());
    context.signal.addEventListener('abort', end);
    return invokeIntake(api, keys, route, requests, headers, stop).catch((error: unknown) => {
      throw failure(error, api);
    }) as Promise<never>;
  });
}

function addReflection(router: ConnectRouter, services: Parameters<typeof reflect>[0]): void {
  for (const reflection of [ServerReflection, ServerReflectionAlpha]) {
    router.rpc(
      reflection.method.serverReflectionInfo as never,
      async function* (requests: AsyncIterable<unknown>) {
        for await (const request of requests) yield reflect(services, request as ServerReflectionRequest) as never;
      } as never,
    );
  }
}

/** Sets the CORS headers; false when the request was a preflight and is answered. */
function allowOrigin(origins: Set<string>, request: http.IncomingMessage, response: http.ServerResponse): boolean {
  const { origin } = request.headers;
  response.setHeader('vary', 'Origin');
  const allowed = origin !== undefined && (origins.has(origin) || origins.has('*'));
  if (allowed) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', [...cors.exposedHeaders, ...EXPOSED].join(', '));
  }
  if (request.method !== 'OPTIONS' || origin === undefined) return true;
  if (allowed) {
    response.setHeader('access-control-allow-methods', [...cors.allowedMethods, ...METHODS].join(', '));
    const headers = [...cors.allowedHeaders, ...HEADERS];
    response.setHeader('access-control-allow-headers', headers.join(', '));
    response.setHeader('access-control-max-age', String(CORS_MAX_AGE_S));
  }
  response.writeHead(allowed ? 204 : 403);
  response.end();
  return false;
}

/** Tells which HTTP the first bytes of a connection show; Node offers both on one port only under TLS. */
function sniff(socket: net.Socket, decided: (http: 1 | 2) => void): void {
  const timer = setTimeout(() => socket.destroy(), SNIFF_MS);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  let seen = Buffer.alloc(0);
  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const isPreface = PREFACE.subarray(0, seen.length).equals(seen.subarray(0, PREFACE.length));
    if (isPreface && seen.length < PREFACE_DECIDES) return;
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.pause();
    socket.unshift(seen);
    decided(isPreface ? 2 : 1);
    if (!isPreface) socket.resume();
  };
  socket.on('readable', onReadable);
}
