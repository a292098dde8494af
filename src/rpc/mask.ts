import type { FieldMask } from '@bufbuild/protobuf/wkt';
import type { ItemProblem } from '../program/boost.ts';
import { snake } from './text.ts';

/** How one field of a message becomes part of a change: whether it is present, and what it says; absent: cleared. */
export interface MaskField<I, P> {
  isPresent(input: I): boolean;
  read(input: I): P;
}

/** The fields that an update sets: those of its mask, or without one those that are present. */
export function maskedFields<I, P extends object>(
  fields: Readonly<Record<string, MaskField<I, Partial<P>>>>,
  input: I,
  mask: FieldMask | undefined,
): { fields: Partial<P>; problems: ItemProblem[] } {
  const paths = mask?.paths.map(snake) ?? [];
  const unknown = paths.filter((path) => !Object.hasOwn(fields, path));
  const problems = unknown.map((path) => ({
    field: 'update_mask',
    message: `${JSON.stringify(path)} cannot be set; known are ${Object.keys(fields).join(', ')}`,
  }));
  const named = paths.length > 0 ? paths : Object.keys(fields).filter((path) => fields[path]?.isPresent(input));
  const read = named.map((path) => (Object.hasOwn(fields, path) ? fields[path]?.read(input) : undefined));
  return { fields: Object.assign({}, ...read), problems };
}
