import { once } from 'node:events';
import { connect } from 'node:http2';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { ApiKeyKind } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { EventService } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { type Import, ImportFormat, ImportRowOutcome, ImportState } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { createDatabase } from '../support/database.ts';
import { clientsOf, environment, KEY, spawnGuerdon, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { fileParts, finished, importFile, ndjson, rowsOf } from '../support/imports.ts';
import { balancesOf, expectSound } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const lesson = (user: string, more: object = {}) => ({ metricKey: 'lessons', user: { id: user }, value: '1', ...more });
const NDJSON = ImportFormat.NDJSON;

/** Lessons of 50 users, and what they give. */
const lessons = (count: number) => ndjson(times(count).map((index) => lesson(`u${index % 50}`)));
const given = (count: number) => Object.fromEntries(times(50).map((user) => [`u${user}`, (count / 50) * 10]));

describe('an import that is not sent to its end', () => {
  it('by an API that is killed: goes on where it broke off, when the same rows are sent under the same id', async () => {
    const ROWS = 5_000;
    const database = await createDatabase();
    const env = environment(database, 'postgres');
    let guerdon = await spawnGuerdon(env);
    let clients = clientsOf(guerdon.grpcPort);
    const importId = v7();
    const file = Buffer.from(lessons(ROWS));
    let release = () => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* halfOf(options: object) {
      for await (const part of fileParts(options, file.subarray(0, file.length / 2))) yield part;
      await stuck;
    }
    const broken = clients.events.importEvents(halfOf({ importId, format: NDJSON })).catch(ConnectError.from);
    const stored = () => clients.events.getImport({ id: importId }).catch(() => undefined);
    const rows = async () => Number((await stored())?.import?.rows ?? 0);
    await until(async () => (await rows()) >= 2_000, { what: 'stored rows' });
    await guerdon.end('SIGKILL');
    expect(await broken).toBeInstanceOf(ConnectError);
    release();
    guerdon = await spawnGuerdon(env);
    clients = clientsOf(guerdon.grpcPort);
    const found = (await clients.events.getImport({ id: importId })).import;
    expect(found).toMatchObject({ state: ImportState.RECEIVING, applied: 0n });
    expect(Number(found?.rows)).toBeGreaterThanOrEqual(2_000);
    expect(Number(found?.rows)).toBeLessThan(ROWS);

    const other = Buffer.from(lessons(ROWS).replace('u7', 'x7'));
    const differs = await importFile(clients, { importId, format: NDJSON }, other).catch(ConnectError.from);
    expect(differs).toMatchObject({ code: Code.AlreadyExists });

    await importFile(clients, { importId, format: NDJSON }, file);
    expect(await finished(clients, importId)).toMatchObject({ rows: BigInt(ROWS), applied: BigInt(ROWS) });
    // The whole file under the same id once more is the same import.
    expect((await importFile(clients, { importId, format: NDJSON }, file)).state).toBe(ImportState.DONE);
    const longer = Buffer.concat([file, Buffer.from(lessons(50))]);
    const differsToo = await importFile(clients, { importId, format: NDJSON }, longer).catch(ConnectError.from);
    expect(differsToo).toMatchObject({ code: Code.AlreadyExists });
    expect(await balancesOf(database, 'xp')).toEqual(given(ROWS));
    await guerdon.end();
    await expectSound(database);
    await database.drop();
  }, 60_000);
});

describe('an import', () => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon();
  });
  afterAll(async () => {
    await expectSound(guerdon.database);
    await guerdon.close();
  });

  it.each([
    ['gRPC', () => guerdon.grpcPort],
    ['HTTP', () => guerdon.httpPort],
  ])('whose caller breaks off over %s is not taken for complete', async (_name, port) => {
    const importId = v7();
    const session = connect(`http://127.0.0.1:${port()}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/guerdon.v1.EventService/ImportEvents',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'x-api-key': KEY,
    });
    const { create, toBinary } = await import('@bufbuild/protobuf');
    for await (const part of fileParts({ importId, format: NDJSON }, Buffer.from(lessons(3_000)))) {
      const bytes = toBinary(
        EventService.method.importEvents.input,
        create(EventService.method.importEvents.input, part),
      );
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      if (!stream.write(Buffer.concat([head, bytes]))) await once(stream, 'drain');
    }
    const stored = async () => (await guerdon.events.getImport({ id: importId }).catch(() => undefined))?.import;
    await until(async () => ((await stored())?.rows ?? 0n) >= 2_000n, { what: 'rows' });
    stream.on('error', () => {});
    session.on('error', () => {});
    session.destroy();
    await until(() => guerdon.running.context !== undefined && session.destroyed, { what: 'the end' });
    // Another import that runs through shows that the server had time to see the end of the first.
    const { id } = await importFile(guerdon, { format: NDJSON }, lessons(50));
    await finished(guerdon, id);
    expect(await stored()).toMatchObject({ state: ImportState.RECEIVING, applied: 0n });
    const cancelled = (await guerdon.events.cancelImport({ id: importId })).import;
    expect(cancelled?.state).toBe(ImportState.CANCELLED);
  });

  it('is watched to its end', async () => {
    const { id } = await importFile(guerdon, { format: NDJSON }, ndjson(times(2_000).map(() => lesson('w'))));
    const seen: Import[] = [];
    for await (const { import: found } of guerdon.events.watchImport({ id })) seen.push(found as Import);
    expect(seen.at(-1)).toMatchObject({ state: ImportState.DONE, applied: 2_000n });
    expect(seen.at(-1)?.rowsPerSecond).toBeGreaterThan(0n);
    const applied = seen.map((found) => found.applied);
    expect(applied).toEqual([...applied].sort((a, b) => Number(a - b)));
  });

  it('that is cancelled applies no more rows, and says of each whether it was applied', async () => {
    const { id } = await importFile(guerdon, { format: NDJSON }, ndjson(times(8_000).map(() => lesson('k'))));
    await until(async () => ((await guerdon.events.getImport({ id })).import?.applied ?? 0n) > 0n, { what: 'a row' });
    expect((await guerdon.events.cancelImport({ id })).import?.state).toBe(ImportState.CANCELLED);
    let before = -1;
    await until(
      async () => {
        const { rows } = await guerdon.database.pool.query(
          `select count(*)::int as claimed from import_parts where claimed_until > now()`,
        );
        before = (await balancesOf(guerdon.database, 'xp')).k ?? 0;
        return rows[0].claimed === 0;
      },
      { what: 'the end of the slice under way' },
    );
    const all = await rowsOf(guerdon, id);
    const applied = all.filter(({ outcome }) => outcome === ImportRowOutcome.APPLIED).length;
    const pending = await rowsOf(guerdon, id, ImportRowOutcome.PENDING);
    expect(applied + pending.length).toBe(8_000);
    expect(pending.length).toBeGreaterThan(0);
    expect(before).toBe(applied * 10);
    expect(await rowsOf(guerdon, id, ImportRowOutcome.APPLIED)).toHaveLength(applied);
    const again = await importFile(guerdon, { importId: id, format: NDJSON }, 'x').catch(ConnectError.from);
    expect(again).toMatchObject({ code: Code.FailedPrecondition });
  });

  it('whose refused rows are tried again applies those that are right by then', async () => {
    const rows = [lesson('r'), { ...lesson('r'), metricKey: 'naps' }, lesson('r', { value: '?' }), lesson('r')];
    const { id } = await importFile(guerdon, { format: NDJSON, name: 'r.ndjson' }, ndjson(rows));
    expect(await finished(guerdon, id)).toMatchObject({ applied: 2n, refused: 2n });
    await guerdon.admin.createMetrics({ metrics: [{ key: 'naps', name: 'Naps' }] });
    const retry = (await guerdon.events.retryImport({ id })).import as Import;
    expect(retry).toMatchObject({ retryOf: id, name: 'r.ndjson', rows: 2n });
    expect(await finished(guerdon, retry.id)).toMatchObject({ applied: 1n, refused: 1n });
    expect((await rowsOf(guerdon, retry.id)).map(({ line, outcome }) => [line, outcome])).toEqual([
      [2n, ImportRowOutcome.APPLIED],
      [3n, ImportRowOutcome.REFUSED],
    ]);
    // The whole file again finds the row of the retry applied too.
    const whole = await importFile(guerdon, { format: NDJSON }, ndjson(rows));
    expect(await finished(guerdon, whole.id)).toMatchObject({ duplicate: 3n, refused: 1n });
    const { id: good } = await importFile(guerdon, { format: NDJSON }, ndjson([lesson('r')]));
    await finished(guerdon, good);
    const nothing = await guerdon.events.retryImport({ id: good }).catch(ConnectError.from);
    expect(nothing).toMatchObject({ code: Code.FailedPrecondition });
  });

  it('goes over Connect and gRPC-Web, and needs an admin key', async () => {
    const baseUrl = `http://127.0.0.1:${guerdon.httpPort}`;
    const withKey = (key: string) => [
      (next: (request: never) => Promise<never>) => (request: never) => {
        (request as { header: Headers }).header.set('x-api-key', key);
        return next(request);
      },
    ];
    const transports = (key: string) => [
      createConnectTransport({ baseUrl, httpVersion: '1.1', interceptors: withKey(key) as never }),
      createConnectTransport({ baseUrl, httpVersion: '2', interceptors: withKey(key) as never }),
      createGrpcWebTransport({ baseUrl, httpVersion: '2', interceptors: withKey(key) as never }),
    ];
    for (const [index, transport] of transports(KEY).entries()) {
      const events = createClient(EventService, transport);
      const parts = fileParts({ format: NDJSON }, Buffer.from(ndjson([lesson(`h${index}`)])));
      const { import: found } = await events.importEvents(parts);
      expect(await finished({ events }, found?.id ?? '')).toMatchObject({ applied: 1n });
    }
    const app = { kind: ApiKeyKind.APPLICATION, name: 'h', userId: 'h0' };
    const key = (await guerdon.admin.createApiKeys({ keys: [app] })).created[0]?.key ?? '';
    const wanted = [
      [key, Code.PermissionDenied],
      ['no.0123456789abcdef', Code.Unauthenticated],
    ] as const;
    for (const [refused, code] of wanted) {
      for (const events of [
        clientsOf(guerdon.grpcPort, refused).events,
        ...transports(refused).map((transport) => createClient(EventService, transport)),
      ]) {
        const failure = await events.importEvents(fileParts({}, Buffer.from('x'))).catch(ConnectError.from);
        expect(failure).toMatchObject({ code });
      }
    }
  });
});
