import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { invalid, type Violation } from '../errors.ts';
import { textViolations } from '../rpc/text.ts';
import type { Json } from './json.ts';
import { contractName } from './names.ts';
import type { AdminIssue, Items, Param, RestRoute } from './route.ts';
import { schemas } from './schemas/schemas.ts';

interface Checked {
  query: Record<string, unknown>;
  body: unknown;
  plain: unknown;
}

const FORMS = 'contract';
const ajv = new Ajv2020({ allErrors: true, strict: false, verbose: true });
ajv.addSchema({ components: { schemas } }, FORMS);
const queries = new Ajv2020({ allErrors: true, strict: false, verbose: true, coerceTypes: true });
const queryForms = new Map<RestRoute['query'], ValidateFunction>();

/** Holds a request against what its route says of it. */
export function checkRequest(
  route: RestRoute,
  path: Readonly<Record<string, string>>,
  json: Json | undefined,
  search: URLSearchParams,
): Checked {
  const form = queryForms.get(route.query) ?? queries.compile(querySchema(route.query ?? {}));
  queryForms.set(route.query, form);
  const query = queryOf(route.query ?? {}, search);
  const texts = textViolations({ ...path, ...query });
  if (texts.length > 0) throw invalid(texts);
  if (!form(query)) throw invalid(violationsOf(form.errors ?? []));
  return { query, body: bodyOf(route, json), plain: json?.plain };
}

function formOf(schema: string): ValidateFunction {
  return ajv.getSchema(`${FORMS}#/components/schemas/${schema}`) as ValidateFunction;
}

function bodyOf({ body }: RestRoute, json: Json | undefined): unknown {
  if (body === undefined || json === undefined) return undefined;
  const { plain, exact } = json;
  if (body.items === undefined) {
    const form = formOf(body.schema);
    const wrong = form(plain) ? textViolations(plain as object) : violationsOf(form.errors ?? []);
    if (wrong.length > 0) throw invalid(wrong);
    return exact;
  }
  const [min, max] = body.items;
  if (!Array.isArray(plain) || plain.length < min || plain.length > max) {
    throw invalid([{ field: 'body', description: `must be a list of ${min} to ${max} items` }]);
  }
  return checkItems(body.schema, plain, exact as unknown[]);
}

/** The items of a list that have the right form, with exact numbers, and what is wrong with the others. */
export function checkItems<T>(schema: string, plain: readonly unknown[], exact: readonly unknown[]): Items<T> {
  const form = formOf(schema);
  const issues: AdminIssue[] = [];
  const items = plain.flatMap((item, index) => {
    const wrong = form(item) ? textViolations(item as object) : violationsOf(form.errors ?? []);
    for (const { field, description } of wrong) {
      issues.push({ severity: 'error', message: `${contractName(field)} ${description}`, index, ...idIn(item) });
    }
    return wrong.length > 0 ? [] : [{ index, value: exact[index] as T }];
  });
  return { items, issues };
}

function idIn(item: unknown): { id?: string } {
  const id = (item as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? { id } : {};
}

function violationsOf(errors: readonly ErrorObject[]): Violation[] {
  return errors
    .filter(({ keyword }) => keyword !== 'if')
    .map((error) => {
      const steps = error.instancePath.split('/').slice(1);
      const missing = error.keyword === 'required' ? [String(error.params.missingProperty)] : [];
      const field = [...steps, ...missing]
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`), '');
      return { field: field === '' ? 'body' : field, description: descriptionOf(error) };
    });
}

/** The schema's own message, or what its description says is right. */
function descriptionOf({ keyword, message, params, parentSchema }: ErrorObject): string {
  if (keyword === 'required') return 'must be given';
  if ((keyword === 'pattern' || keyword === 'not') && typeof parentSchema?.description === 'string')
    return `must be ${parentSchema.description}`;
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`;
  return `${message}`;
}

function querySchema(params: Readonly<Record<string, Param>>): object {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(params).map(([name, { schema }]) => [name, schema])),
    required: Object.keys(params).filter((name) => params[name]?.required),
  };
}

/** Texts, and lists of texts where the parameter is a list; a parameter that is not known is left out. */
function queryOf(params: Readonly<Record<string, Param>>, search: URLSearchParams): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  for (const [name, { list }] of Object.entries(params)) {
    const given = [...search.getAll(name), ...(list ? search.getAll(`${name}[]`) : [])];
    if (given.length === 0) continue;
    if (!list && given.length > 1) throw invalid([{ field: name, description: 'must be given once' }]);
    query[name] = list === true ? given.flatMap((text) => text.split(',')) : list ? given : given[0];
  }
  return query;
}
