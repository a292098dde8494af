// Short forms for JSON Schema (draft 2020-12), as OpenAPI 3.1 has it.

export type Schema = Readonly<Record<string, unknown>>;

export const POINTS_MAX = Number.MAX_SAFE_INTEGER;

export const string: Schema = { type: 'string' };
export const boolean: Schema = { type: 'boolean' };
export const number: Schema = { type: 'number' };
export const integer: Schema = { type: 'integer' };
export const text = (maxLength: number, minLength = 0): Schema => ({ type: 'string', minLength, maxLength });
export const orNull = (schema: Schema): Schema =>
  typeof schema.type === 'string' ? { ...schema, type: [schema.type, 'null'] } : { anyOf: [schema, { type: 'null' }] };
export const oneOf = (...values: string[]): Schema => ({ type: 'string', enum: values });
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const list = (items: Schema): Schema => ({ type: 'array', items });
export const map = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });

export const key: Schema = {
  type: 'string',
  pattern: '^[a-zA-Z0-9_-]{1,64}$',
  description: '1 to 64 letters, digits, "_" or "-"',
};
export const date: Schema = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a day YYYY-MM-DD' };
export const instant: Schema = {
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$',
  description: 'an instant, ISO 8601 in UTC',
};
export const uuid: Schema = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  description: 'a valid UUID',
};

/** An object that may have more than is said here. */
export function object(required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema {
  const names = Object.keys(required);
  return {
    type: 'object',
    properties: { ...required, ...optional },
    ...(names.length > 0 && { required: names }),
  };
}
