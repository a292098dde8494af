import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { Health, HealthCheckResponse_ServingStatus as Serving } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { EventService, type SendEventResponse } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { PointsService } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import { KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';

const ORIGIN = 'https://app.example';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', { GUERDON_CORS_ORIGINS: `https://other.example, ${ORIGIN}` });
});
afterAll(() => guerdon.close());

describe('buf curl, by reflection', () => {
  const buf = join(import.meta.dirname, '../../node_modules/@bufbuild/buf/bin/buf');
  const curl = (...args: string[]) => promisify(execFile)(process.execPath, [buf, 'curl', ...args]);
  const call = async (protocol: string, base: string, method: string, body: object) => {
    const args = [
      '--protocol',
      protocol,
      '--http2-prior-knowledge',
      '-H',
      `x-api-key: ${KEY}`,
      '-d',
      JSON.stringify(body),
    ];
    return JSON.parse((await curl(...args, `${base}/guerdon.v1.${method}`)).stdout);
  };
  const ports = (): [string, string, string][] => [
    ['grpc', `http://127.0.0.1:${guerdon.grpcPort}`, 'native'],
    ['grpc', `http://127.0.0.1:${guerdon.httpPort}`, 'grpc'],
    ['grpcweb', `http://127.0.0.1:${guerdon.httpPort}`, 'web'],
    ['connect', `http://127.0.0.1:${guerdon.httpPort}`, 'connect'],
  ];

  it('sends events over gRPC, gRPC-Web and Connect', async () => {
    for (const [protocol, base, user] of ports()) {
      const event = { metricKey: 'lessons', user: { id: user }, value: '1', idempotencyKey: 'k' };
      expect(await call(protocol, base, 'EventService/SendEvent', event)).toMatchObject({
        points: { xp: { total: '10' } },
      });
      expect(await call(protocol, base, 'EventService/SendEvent', event)).toMatchObject({ idempotentReplayed: true });
    }
  }, 60_000);

  it('lists the methods', async () => {
    const { stdout } = await curl(
      '--protocol',
      'grpc',
      '--http2-prior-knowledge',
      '--list-methods',
      `http://127.0.0.1:${guerdon.grpcPort}`,
    );
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['guerdon.v1.EventService/SendEvent', 'guerdon.v1.PointsService/SpendPoints']),
    );
  });

  it('is told what is wrong', async () => {
    const bad = call('grpc', `http://127.0.0.1:${guerdon.grpcPort}`, 'EventService/SendEvent', { metricKey: 'naps' });
    await expect(bad).rejects.toMatchObject({
      stderr: expect.stringMatching(/"invalid_argument"[\s\S]*metric_key: no metric[\s\S]*google.rpc.BadRequest/),
    });
  });
});

describe('a plain grpc-js client', () => {
  const method = EventService.method.sendEvent;
  type Send = (
    request: unknown,
    metadata: grpc.Metadata,
    options: { deadline: number },
    done: (error: grpc.ServiceError | null, answer: SendEventResponse) => void,
  ) => void;
  let client: grpc.Client & { send: Send };
  beforeAll(() => {
    const Client = grpc.makeGenericClientConstructor(
      {
        send: {
          path: '/guerdon.v1.EventService/SendEvent',
          requestStream: false,
          responseStream: false,
          requestSerialize: (request) => Buffer.from(toBinary(method.input, create(method.input, request))),
          requestDeserialize: (bytes) => bytes,
          responseSerialize: (answer) => answer,
          responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
        },
      },
      'EventService',
    );
    client = new Client(`127.0.0.1:${guerdon.grpcPort}`, grpc.credentials.createInsecure()) as never;
  });
  afterAll(() => client.close());

  function send(event: object, header: [string, string], timeoutMs = 10_000): Promise<SendEventResponse> {
    const metadata = new grpc.Metadata();
    metadata.set(...header);
    return new Promise((resolve, reject) => {
      client.send(event, metadata, { deadline: Date.now() + timeoutMs }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  }

  const event = { metricKey: 'lessons', user: { id: 'grpc-js' }, value: '2.5', idempotencyKey: 'k' };

  it('is answered, with the key as x-api-key or as a bearer token', async () => {
    expect((await send(event, ['x-api-key', KEY])).total).toBe('2.5');
    expect((await send(event, ['authorization', `Bearer ${KEY}`])).idempotentReplayed).toBe(true);
  });

  it('finds the reason in grpc-status-details-bin', async () => {
    const error: grpc.ServiceError = await send({ ...event, value: '3' }, ['x-api-key', KEY]).then(
      () => Promise.reject(new Error('it was taken')),
      (thrown) => thrown,
    );
    expect(error.code).toBe(grpc.status.ALREADY_EXISTS);
    const [details] = error.metadata.get('grpc-status-details-bin');
    const status = fromBinary(StatusSchema, details as Buffer);
    expect(status.details.map((detail) => anyUnpack(detail, ErrorInfoSchema)?.reason)).toEqual([
      'IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  it('that gives up too early gets DEADLINE_EXCEEDED, and a repeat tells: it is applied once', async () => {
    const late = { ...event, user: { id: 'hasty' } };
    await expect(send(late, ['x-api-key', KEY], 1)).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    await send(late, ['x-api-key', KEY]);
    const { events } = await guerdon.events.listEvents({ userId: 'hasty' });
    expect(events).toHaveLength(1);
  });

  it('finds the server healthy', async () => {
    const check = Health.method.check;
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        () => Buffer.from(toBinary(check.input, create(check.input, { service: 'guerdon.v1.EventService' }))),
        (bytes) => fromBinary(check.output, bytes),
        {},
        (error, value) => (error === null ? resolve(value) : reject(error)),
      );
    });
    expect(answer).toMatchObject({ status: Serving.SERVING });
  });
});

describe('a browser', () => {
  const baseUrl = () => `http://127.0.0.1:${guerdon.httpPort}`;
  const preflight = (origin: string) =>
    fetch(`${baseUrl()}/guerdon.v1.EventService/SendEvent`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,connect-protocol-version,x-api-key',
      },
    });

  it('of an allowed origin may call, of another may not', async () => {
    const allowed = await preflight(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    const headers = allowed.headers.get('access-control-allow-headers')?.toLowerCase();
    for (const header of ['content-type', 'connect-protocol-version', 'x-api-key', 'x-grpc-web']) {
      expect(headers).toContain(header);
    }
    const other = await preflight('https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['Connect', createConnectTransport],
    ['gRPC-Web', createGrpcWebTransport],
  ])('sends with connect-web over %s', async (name, createTransport) => {
    const transport = createTransport({
      baseUrl: baseUrl(),
      interceptors: [
        (next) => (request) => {
          request.header.set('x-api-key', KEY);
          request.header.set('origin', ORIGIN);
          return next(request);
        },
      ],
    });
    const answer = await createClient(EventService, transport).sendEvent({
      metricKey: 'lessons',
      user: { id: name },
      value: '1',
    });
    expect(answer.points.xp?.total).toBe(10n);
  });

  it('may read by GET, which caches can hold', async () => {
    const asked: unknown[] = [];
    const transport = createConnectTransport({
      baseUrl: baseUrl(),
      useHttpGet: true,
      fetch: (input, init) => {
        asked.push(init?.method);
        return fetch(input, init);
      },
      interceptors: [
        (next) => (request) => {
          request.header.set('x-api-key', KEY);
          return next(request);
        },
      ],
    });
    const { levels } = await createClient(PointsService, transport).listLevels({ systemKey: 'xp' });
    expect(levels.map((level) => level.points)).toEqual([0n, 100n, 500n, 2_000n, 10_000n]);
    expect(asked).toEqual(['GET']);
  });

  it('finds the page, the probes, and nothing else', async () => {
    const page = await fetch(baseUrl());
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('<title>Guerdon</title>');
    for (const probe of ['/healthz', '/readyz']) expect((await fetch(baseUrl() + probe)).status).toBe(200);
    expect((await fetch(`${baseUrl()}/nothing`)).status).toBe(404);
  });
});
