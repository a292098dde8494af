import type { RestRoute } from './route.ts';
import { schemas } from './schemas/schemas.ts';

const ERROR = { $ref: '#/components/schemas/ErrorBody' };
const json = (schema: object) => ({ 'application/json': { schema } });

/** The OpenAPI document of a table. */
export function openApiOf(prefix: string, table: readonly RestRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of table) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: prefix === '/v1' ? 'Guerdon application API' : 'Guerdon admin API',
      version: '1.21.1',
      description:
        'The REST contract of a hosted service, as far as Guerdon offers it; the version is that of the contract.',
    },
    servers: [{ url: prefix }],
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: '`prefix.body`' } },
      schemas: usedBy(table),
    },
  };
}

function operationOf(route: RestRoute): object {
  const { id, summary, body, upload, success } = route;
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(route.query ?? {}).map(([name, { schema, required }]) => ({
      name,
      in: 'query',
      required: required ?? false,
      schema,
    })),
    ...(route.idempotent
      ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string' } }]
      : []),
  ];
  const answers = Object.entries(success).map(([status, schema]) => [
    status,
    schema === null
      ? { description: 'Done.' }
      : { description: 'Done.', content: json({ $ref: `#/components/schemas/${schema}` }) },
  ]);
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: json(bodySchema(body)) } }),
    ...(upload !== undefined && { requestBody: { required: true, content: fileOf(upload) } }),
    responses: { ...Object.fromEntries(answers), default: { description: 'Refused.', content: json(ERROR) } },
  };
}

function fileOf(types: readonly string[]): object {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]));
}

function bodySchema({ schema, items }: NonNullable<RestRoute['body']>): object {
  const one = { $ref: `#/components/schemas/${schema}` };
  return items === undefined ? one : { type: 'array', items: one, minItems: items[0], maxItems: items[1] };
}

/** The schemas that the table names, and those that they name. */
function usedBy(table: readonly RestRoute[]): Record<string, object> {
  const used = new Map<string, object>();
  const add = (name: string): void => {
    const schema = schemas[name];
    if (schema === undefined) throw new Error(`there is no schema ${name}`);
    if (used.has(name)) return;
    used.set(name, schema);
    for (const [, inner] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) add(inner as string);
  };
  add('ErrorBody');
  for (const { body, success } of table) {
    if (body !== undefined) add(body.schema);
    for (const schema of Object.values(success)) if (schema !== null) add(schema);
  }
  return Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)));
}
