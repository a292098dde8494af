import type { Profile } from '../commands/command.ts';
import type { Violation } from '../errors.ts';
import type { UserInput } from '../gen/guerdon/v1/types_pb.ts';
import { isZone } from '../rules/zone.ts';
import { textViolation } from './text.ts';

/** Keys of metrics and attributes. */
export const KEY = /^[a-zA-Z0-9_-]{1,64}$/;
const ID_MAX = 255;
const TEXT_MAX = 255;
const EMAIL_MAX = 320;
const ZONE_MAX = 64;
const ATTRIBUTES_MAX = 50;
const TOKENS_MAX = 100;
const TOKEN_MAX = 1024;

export function profileOf(user: UserInput): Profile {
  return {
    ...(user.name !== undefined && { name: user.name }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.tz !== undefined && { tz: user.tz }),
    ...(Object.keys(user.attributes).length > 0 && { attributes: { ...user.attributes } }),
    ...(user.deviceTokens !== undefined && { deviceTokens: [...user.deviceTokens.tokens] }),
  };
}

/** What is wrong with a user whoever sends it; the same as the proto's rules, and what they cannot say. */
export function userViolations(user: UserInput): Violation[] {
  const { id, name = '', email = '', tz } = user;
  return [
    ...(id === '' ? [{ field: 'user.id', description: 'must not be empty' }] : []),
    ...lengthViolation('user.id', id, ID_MAX),
    ...textViolation('user.id', id),
    ...lengthViolation('user.name', name, TEXT_MAX),
    ...textViolation('user.name', name),
    ...lengthViolation('user.email', email, EMAIL_MAX),
    ...textViolation('user.email', email),
    ...(tz === undefined || (tz.length <= ZONE_MAX && isZone(tz))
      ? []
      : [{ field: 'user.tz', description: 'must be an IANA time zone such as "Europe/Berlin"' }]),
    ...attributeViolations('user.attributes', user.attributes),
    ...tokenViolations(user.deviceTokens?.tokens ?? []),
  ];
}

function tokenViolations(tokens: readonly string[]): Violation[] {
  const field = 'user.device_tokens.tokens';
  if (tokens.length > TOKENS_MAX) return [{ field, description: `must have at most ${TOKENS_MAX} items` }];
  return tokens.flatMap((token, index) => {
    const at = `${field}[${index}]`;
    if (token === '') return [{ field: at, description: 'must not be empty' }];
    return [...lengthViolation(at, token, TOKEN_MAX), ...textViolation(at, token)];
  });
}

export function attributeViolations(field: string, attributes: Record<string, string>): Violation[] {
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) return [{ field, description: `must have at most ${ATTRIBUTES_MAX} entries` }];
  return entries.flatMap(([key, value]) => {
    const at = `${field}[${JSON.stringify(key)}]`;
    if (!KEY.test(key)) return [{ field: at, description: 'keys are 1 to 64 letters, digits, "_" or "-"' }];
    return [...lengthViolation(at, value, TEXT_MAX), ...textViolation(at, value)];
  });
}

/** Characters are Unicode code points, as in the proto's rules and in PostgreSQL. */
export function lengthViolation(field: string, text: string, max: number): Violation[] {
  if (text.length <= max || [...text].length <= max) return [];
  return [{ field, description: `must have at most ${max} characters` }];
}

/** Attributes that the project has not declared. */
export function undeclared(
  field: string,
  given: Record<string, string>,
  declared: ReadonlySet<string>,
  what: string,
): Violation[] {
  return Object.keys(given)
    .filter((key) => KEY.test(key) && !declared.has(key))
    .map((key) => ({ field: `${field}[${JSON.stringify(key)}]`, description: `must be declared as ${what} first` }));
}
