import type { Violation } from '../errors.ts';

/** NUL and lone surrogates, which JSON and Redis can carry and PostgreSQL's jsonb refuses. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

const NOT_STORABLE = 'must have no NUL character and no lone surrogate';

/** The strings of a message that cannot be stored, however deep they are. */
export function textViolations(message: object): Violation[] {
  return inside('', message);
}

function inside(path: string, value: unknown): Violation[] {
  if (typeof value === 'string') return textViolation(path, value);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => inside(`${path}[${index}]`, item));
  const isMap = path !== '' && !('$typeName' in value);
  return Object.entries(value).flatMap(([name, item]) => {
    if (name.startsWith('$')) return [];
    if (isMap) return [...textViolation(path, name), ...inside(`${path}[${JSON.stringify(name)}]`, item)];
    const [field, content] = isOneof(item) ? [item.case, item.value] : [name, item];
    return inside(path === '' ? snake(field) : `${path}.${snake(field)}`, content);
  });
}

/** In memory a oneof stands under its own name, on the wire the field that is set stands for itself. */
function isOneof(value: unknown): value is { case: string; value: unknown } {
  return typeof value === 'object' && value !== null && 'case' in value && value.case !== undefined;
}

/** A violation of `field` when its text cannot be stored. */
export function textViolation(field: string, text: string): Violation[] {
  return isStorable(text) ? [] : [{ field, description: NOT_STORABLE }];
}

/** A name as the proto writes it. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
