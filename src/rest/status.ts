import { type ErrorCode, GuerdonError, type Reason } from '../errors.ts';
import { contractCalls, contractName, contractText } from './names.ts';

/**
 * The status of each failure. 400: the request cannot be read; 422: it can, and is not right or not possible. Never 409,
 * which older clients send again at once: no failure here is mended by that.
 */
const BY_CODE: Record<ErrorCode, number> = {
  INVALID_ARGUMENT: 422,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 422,
  FAILED_PRECONDITION: 422,
  OUT_OF_RANGE: 422,
  RESOURCE_EXHAUSTED: 429,
  UNIMPLEMENTED: 501,
  ABORTED: 503,
  CANCELLED: 503,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  INTERNAL: 500,
};

const BY_REASON: Partial<Record<Reason, number>> = {
  REQUEST_UNREADABLE: 400,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_SLOW: 408,
  BODY_TOO_LARGE: 413,
  ENCODING_NOT_TAKEN: 415,
};

export function statusOf({ code, reason }: GuerdonError): number {
  return BY_REASON[reason] ?? BY_CODE[code];
}

/** What the caller is told, with the fields as the contract names them. */
export function messageOf({ message, violations }: GuerdonError): string {
  let told = message;
  for (const { field, description } of violations) {
    told = told.replace(`${field}: ${description}`, () => `${contractName(field)}: ${contractText(description)}`);
  }
  const [, field, rest] = /^([a-z_.]+): (.*)$/s.exec(told) ?? [];
  return contractCalls(violations.length > 0 || field === undefined ? told : `${contractName(field)}: ${rest}`);
}

export function notOffered(what: string): GuerdonError {
  return new GuerdonError('UNIMPLEMENTED', 'NOT_OFFERED', `${what}: not offered by this server`);
}
