import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { adminRoutes } from '../../src/rest/admin-table.ts';
import { appRoutes } from '../../src/rest/app-table.ts';
import type { RestRoute } from '../../src/rest/route.ts';
import { schemas } from '../../src/rest/schemas/schemas.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type RestAnswer, type RestClient, restClient } from '../support/rest.ts';

// Every route gets what is certainly wrong, in bytes, form, types and names: it answers 4xx, or says of every item of a
// list what is wrong with it, and nothing is stored.

const SEED = 20_260_515;
const RANDOM_BODIES = 12;

let guerdon: TestGuerdon;
let rest: RestClient;
let system = '';
beforeAll(async () => {
  guerdon = await startGuerdon();
  rest = await restClient(guerdon);
  await rest.post('/v1/users', { id: 'known' });
  system = (await rest.get('/admin/v1/points')).body[0].id;
});
afterAll(() => guerdon.close());

const TABLES = [
  ...readFileSync(join(import.meta.dirname, '../schema.sql'), 'utf8').matchAll(/^create table (\w+)/gm),
].map((match) => match[1] as string);

async function stored(): Promise<unknown> {
  const counts = TABLES.map((table) => `(select count(*) from ${table}) as ${table}`);
  const { rows } = await guerdon.database.pool.query(
    `select ${counts.join(', ')}, (select sum(program_version) from projects) as program`,
  );
  return rows[0];
}

const routes = [
  ...appRoutes.map((route) => ({ name: `${route.method} /v1${route.path}`, prefix: '/v1', route })),
  ...adminRoutes.map((route) => ({ name: `${route.method} /admin/v1${route.path}`, prefix: '/admin/v1', route })),
];

interface Case {
  path: string;
  body?: unknown;
}

describe('nonsense', () => {
  it.each(routes)('at $name', async ({ prefix, route }) => {
    const before = await stored();
    for (const { path, body } of casesOf(prefix, route)) {
      const answer = await rest.call(route.method, path, body);
      const said = { path, body: shown(body), status: answer.status, answer: shown(answer.body) };
      expect(isRefusal(route, answer) ? said : { ...said, refused: true }).toEqual(said);
    }
    expect(await stored()).toEqual(before);
  });
});

function isRefusal({ body, path, success }: RestRoute, answer: RestAnswer): boolean {
  if (501 in success && answer.status === 501) return true;
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 409)
    return typeof answer.body.error === 'string';
  const ofItems = body?.items !== undefined || path === '/points/boosts';
  const made = answer.body.created ?? answer.body.updated ?? answer.body.deleted;
  return answer.status === 200 && (ofItems || made !== undefined) && made.length === 0 && answer.body.issues.length > 0;
}

const shown = (value: unknown) => (JSON.stringify(value) ?? '').slice(0, 300);

function casesOf(prefix: string, route: RestRoute): Case[] {
  const path = `${prefix}${route.path.replace('{systemId}', system).replace('/users/{id}', '/users/known')}`;
  const plain = path.replace('{key}', 'xp').replace('{id}', 'x');
  if (route.body === undefined) return [...pathCases(path, route), ...queryCases(plain, route)];
  return bodiesOf(route.body).map((body) => ({ path: plain, body }));
}

const SEGMENTS = [
  '%00',
  '%FF',
  '%ED%A0%80',
  'x'.repeat(300),
  '..%2f..',
  "';drop table users",
  '%F0%9F%A6%89',
  '01890a5d-ac96-774b-bcce-b302099a8057',
];

function pathCases(path: string, route: RestRoute): Case[] {
  const names = path.match(/\{\w+\}/g) ?? [];
  const whole = names.length > 0 ? path : path.replace('/users/known', '/users/{id}');
  if (!whole.includes('{')) return [];
  const days = 'aggregation' in (route.query ?? {}) ? '?aggregation=daily&startDate=2024-01-01&endDate=2024-01-02' : '';
  return SEGMENTS.map((segment) => ({
    path: whole.replace(/\{\w+\}/g, encodeURI(segment).replaceAll('%25', '%')) + days,
  }));
}

/** Of a known kind, values that it cannot have. */
const WRONG_VALUES: Record<string, string[]> = {
  integer: ['x', '-1', '1.5', '', '99999999999999999999', 'NaN', '%00', '1&'],
  boolean: ['x', '', '2', 'TRUE'],
  array: ['', ','.repeat(200), Array.from({ length: 101 }, (_, index) => index).join(',')],
  string: [],
};

function queryCases(path: string, route: RestRoute): Case[] {
  return Object.entries(route.query ?? {}).flatMap(([name, { schema }]) => {
    const { type, pattern, enum: values } = schema as { type: string; pattern?: string; enum?: string[] };
    const wrong = [...(WRONG_VALUES[type] ?? []), ...(pattern || values ? ['x', '', '2024-13-45', '0000-00-00'] : [])];
    if (type === 'array' && path.endsWith('/streaks')) return [{ path: `${path}?${name}=${wrong.at(-1)}` }];
    const others = Object.entries(route.query ?? {}).filter(([other, param]) => param.required && other !== name);
    const rest = others.map(([other]) => `&${other}=${other === 'aggregation' ? 'daily' : '2024-01-01'}`).join('');
    return wrong.map((value) => ({ path: `${path}?${name}=${value.replace('1&', `1&${name}=1`)}${rest}` }));
  });
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ components: { schemas } }, 'contract');

const BYTES = [
  '',
  '{',
  'null',
  '"text"',
  '7',
  'NaN',
  '[1,]',
  "{'id':'a'}",
  Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
  Buffer.from('{"id":"\xe9"}', 'latin1'),
  '['.repeat(100_000),
  '{"a":'.repeat(50_000),
  `[${'['.repeat(5_000)}${']'.repeat(5_000)}]`,
  '{"user":{"id":"a"},"user":{"id":"b"},"value":1}',
  '[{"id":"a","id":"b"}]',
  Buffer.alloc(10 * 1024 * 1024, '['),
];

interface Schema {
  $ref?: string;
  type?: string | string[];
  pattern?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  minimum?: number;
  items?: Schema;
}

function bodiesOf({ schema, items }: NonNullable<RestRoute['body']>): unknown[] {
  const form = ajv.getSchema(`contract#/components/schemas/${schema}`) as (value: unknown) => boolean;
  const whole = (body: unknown) => (items === undefined ? body : [body]);
  const wrong = mutations(resolved({ $ref: `/${schema}` })).filter((body) => !form(body));
  const random = fc
    .sample(fc.jsonValue({ maxDepth: 4 }), { seed: SEED, numRuns: RANDOM_BODIES })
    .filter((body) => !form(body));
  const texts = ['\0', '\ud800', 'x'.repeat(1_100)].flatMap((text) => withText(resolved({ $ref: `/${schema}` }), text));
  return [
    ...BYTES,
    ...[...wrong, ...random, ...texts].map((body) => JSON.stringify(whole(body))),
    '[]',
    JSON.stringify(Array(1_001).fill(1)),
  ];
}

function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return schemas[schema.$ref.split('/').at(-1) as string] as Schema;
}

/** Something of the form. */
function sample(given: Schema): unknown {
  const schema = resolved(given);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (schema.enum !== undefined) return schema.enum[0];
  if (type === 'string') {
    const texts = ['fuzz', '2024-01-01', '01890a5d-ac96-774b-bcce-b302099a8057'];
    return texts.find((text) => new RegExp(schema.pattern ?? '').test(text));
  }
  if (type === 'integer' || type === 'number') return Math.max(2, schema.minimum ?? 2);
  if (type === 'boolean') return true;
  if (type === 'array') return [sample(schema.items ?? {})];
  const required = (schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {})]);
  return Object.fromEntries(required);
}

const WRONG = [null, true, 7, -1.5, 1e300, '', 'text', [], {}, [null], { a: 1 }];

/** Something of the form but for one part: of another type, or missing. */
function mutations(schema: Schema): unknown[] {
  const good = sample(schema);
  if (schema.type === 'array') return mutations(resolved(schema.items ?? {})).map((item) => [item]);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const others = { ...(good as Record<string, unknown>) };
    delete others[name];
    const inner = resolved(property);
    const nested = inner.properties === undefined ? [] : mutations(inner);
    return [others, ...[...WRONG, ...nested].map((value) => ({ ...others, [name]: value }))];
  });
}

/** Something of the form with a text that cannot be stored in one place. */
function withText(schema: Schema, text: string): unknown[] {
  if (schema.type === 'array') return withText(resolved(schema.items ?? {}), text).map((item) => [item]);
  const good = sample(schema) as Record<string, unknown>;
  return Object.entries(schema.properties ?? {})
    .filter(([, property]) => [property.type].flat()[0] === 'string' && property.enum === undefined)
    .map(([name]) => ({ ...good, [name]: text }));
}
