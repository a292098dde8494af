import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { create, type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from '../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection, type ServerReflectionRequest } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ApiKeys } from './auth.ts';
import type { Api, IntakeRoute, Route, Served, StreamRoute } from './call.ts';
import { invoke, invokeIntake, invokeStream } from './invoke.ts';
import { callerGone } from './open-streams.ts';
import { reflect } from './reflection.ts';
import { CODE_NUMBERS, statusBytes, toGuerdonError } from './status.ts';

// What fails is thrown to us; the library's own lines on the console would only confuse.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

/** How long calls under way may take to end when the server stops. */
export const CLOSE_MS = 5_000;

export interface Listening {
  port: number;
  /** Lets the calls under way end, for some seconds, then stops. */
  close(): Promise<void>;
}

/** Native gRPC: the routes, health and reflection. */
export async function startGrpcServer(
  api: Api,
  keys: ApiKeys,
  { routes, streams, intakes }: Served,
  at: { host: string; port: number },
): Promise<Listening> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MESSAGE_MAX_BYTES,
    'grpc.max_send_message_length': -1,
    // Nobody can ask what it counts, since its service is not offered.
    'grpc.enable_channelz': 0,
  });
  const handlers = [
    ...routes.map((route) => ({ method: route.method, handle: unary(api, keys, route) })),
    ...streams.map((route) => ({ method: route.method, handle: streaming(api, keys, route) })),
    ...intakes.map((route) => ({ method: route.method, handle: intake(api, keys, route) })),
  ];
  const services = [...new Set(handlers.map(({ method }) => method.parent))];
  for (const service of services) {
    const own = handlers.filter(({ method }) => method.parent === service);
    server.addService(
      Object.fromEntries(own.map(({ method }) => [method.localName, definition(method)])),
      Object.fromEntries(
        own.map(({ method, handle }) => [method.localName, handle]),
      ) as grpc.UntypedServiceImplementation,
    );
  }
  const watchers = new Set<grpc.ServerWritableStream<Message, Message>>();
  addHealth(server, services, watchers);
  for (const reflection of [ServerReflection, ServerReflectionAlpha]) addReflection(server, reflection, services);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${at.host}:${at.port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    close: () => {
      for (const watcher of watchers) watcher.end();
      const force = setTimeout(() => server.forceShutdown(), CLOSE_MS);
      return new Promise((resolve) =>
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        }),
      );
    },
  };
}

function definition(method: DescMethod): grpc.MethodDefinition<Message, Message> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: (message) => Buffer.from(toBinary(method.input, message as never)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message as never)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function unary(api: Api, keys: ApiKeys, route: Route): grpc.handleUnaryCall<Message, Message> {
  return (call, callback) => {
    const headers = (name: string) => call.metadata.get(name)[0]?.toString();
    invoke(api, keys, route, call.request, headers, timeoutOf(call, api.context.now())).then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(failure(error, api)),
    );
  };
}

function streaming(api: Api, keys: ApiKeys, route: StreamRoute): grpc.handleServerStreamingCall<Message, Message> {
  return (call) => {
    const stop = new AbortController();
    call.on('cancelled', () => stop.abort(callerGone()));
    const headers = (name: string) => call.metadata.get(name)[0]?.toString();
    const answers = invokeStream(api, keys, route, call.request, headers, stop);
    send(call, answers, stop.signal).then(
      () => call.end(),
      (error: unknown) => {
        if (!call.cancelled) call.emit('error', failure(stop.signal.aborted ? stop.signal.reason : error, api));
      },
    );
  };
}

function intake(api: Api, keys: ApiKeys, route: IntakeRoute): grpc.handleClientStreamingCall<Message, Message> {
  return (call, callback) => {
    const stop = new AbortController();
    call.on('cancelled', () => stop.abort(callerGone()));
    const headers = (name: string) => call.metadata.get(name)[0]?.toString();
    invokeIntake(api, keys, route, received(call), headers, stop).then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(failure(error, api)),
    );
  };
}

/** The messages of a call. One that was broken off ends like one that is complete, so it is asked which it was. */
async function* received(call: grpc.ServerReadableStream<Message, Message>): AsyncGenerator<Message> {
  yield* call.iterator({ destroyOnReturn: false });
  await nextTurn();
  if (call.cancelled) throw callerGone();
}

/** Asks for the next answer once the one before has gone out, so that nothing piles up for a caller who is slow. */
async function send(
  call: grpc.ServerWritableStream<Message, Message>,
  answers: AsyncIterable<Message>,
  signal: AbortSignal,
): Promise<void> {
  for await (const answer of answers) {
    if (!call.write(answer)) await once(call, 'drain', { signal });
  }
}

function timeoutOf(call: { getDeadline(): grpc.Deadline }, now: number): number | undefined {
  const deadline = call.getDeadline();
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  return Number.isFinite(at) ? at - now : undefined;
}

function failure(thrown: unknown, api: Api): Partial<grpc.StatusObject> {
  const error = toGuerdonError(thrown, api.context.log);
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(statusBytes(error)));
  return { code: CODE_NUMBERS[error.code], details: error.message, metadata };
}

function serviceDefinition(service: DescService): grpc.ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, definition(method)]));
}

function addHealth(
  server: grpc.Server,
  services: readonly DescService[],
  watchers: Set<grpc.ServerWritableStream<Message, Message>>,
): void {
  const names = new Set(['', ...services.map((service) => service.typeName)]);
  const statusFor = (service: string) =>
    create(HealthCheckResponseSchema, { status: names.has(service) ? Serving.SERVING : Serving.SERVICE_UNKNOWN });
  const check: grpc.handleUnaryCall<Message & { service: string }, Message> = (call, callback) => {
    if (names.has(call.request.service)) callback(null, statusFor(call.request.service));
    else callback({ code: grpc.status.NOT_FOUND, details: 'unknown service' });
  };
  const watch: grpc.handleServerStreamingCall<Message & { service: string }, Message> = (call) => {
    watchers.add(call as never);
    call.on('cancelled', () => {
      watchers.delete(call as never);
      call.end();
    });
    call.write(statusFor(call.request.service));
  };
  const list: grpc.handleUnaryCall<Message, Message> = (_call, callback) => {
    const statuses = Object.fromEntries([...names].map((name) => [name, statusFor(name)]));
    callback(null, create(Health.method.list.output, { statuses }));
  };
  server.addService(serviceDefinition(Health), { check, watch, list });
}

function addReflection(server: grpc.Server, reflection: DescService, services: readonly DescService[]): void {
  server.addService(serviceDefinition(reflection), {
    serverReflectionInfo: (call: grpc.ServerDuplexStream<ServerReflectionRequest, Message>) => {
      call.on('data', (request: ServerReflectionRequest) => call.write(reflect(services, request)));
      call.on('end', () => call.end());
      call.on('error', () => call.end());
    },
  });
}
