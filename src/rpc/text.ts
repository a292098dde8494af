import type { Violation } from '../errors.ts';

/** NUL and lone surrogates, which JSON and Redis can carry and PostgreSQL's jsonb refuses. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

const NOT_STORABLE = 'must have no NUL character and no lone surrogate';

/** The string fields of a flat message that cannot be stored. */
export function textViolations(message: object): Violation[] {
  return Object.entries(message).flatMap(([field, value]) => {
    if (typeof value === 'string') return isStorable(value) ? [] : [{ field: snake(field), description: NOT_STORABLE }];
    if (value === null || typeof value !== 'object' || !('value' in value)) return [];
    return textViolations(value.value as object);
  });
}

/** A violation of `field` when its text cannot be stored. */
export function textViolation(field: string, text: string): Violation[] {
  return isStorable(text) ? [] : [{ field, description: NOT_STORABLE }];
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
