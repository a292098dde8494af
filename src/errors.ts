import type { RefusalCode } from './rules/decision.ts';

/** The kinds of failure a caller can meet, named as gRPC names its codes. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Stable reasons, for programs to tell failures of one code apart. */
export type Reason =
  | RefusalCode
  | 'FIELDS_INVALID'
  | 'API_KEY_MISSING'
  | 'API_KEY_INVALID'
  | 'KEY_NOT_ALLOWED'
  | 'EVENT_UNKNOWN'
  | 'BOOST_UNKNOWN'
  | 'WEBHOOK_UNKNOWN'
  | 'WEBHOOK_PAUSED'
  | 'DELIVERY_UNKNOWN'
  | 'NO_LEVELS'
  | 'NO_STREAKS'
  | 'PROJECT_UNKNOWN'
  | 'API_KEY_UNKNOWN'
  | 'PROGRAM_MOVED_ON'
  | 'DATA_STRANDED'
  | 'METRIC_UNKNOWN'
  | 'ATTRIBUTE_UNKNOWN'
  | 'TRIGGER_UNKNOWN'
  | 'LEVEL_UNKNOWN'
  | 'NOT_OFFERED'
  | 'PATH_UNKNOWN'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_UNREADABLE'
  | 'BODY_TOO_LARGE'
  | 'DEADLINE_PASSED'
  | 'CALL_CANCELLED'
  | 'TOO_MANY_CALLS'
  | 'RATE_LIMITED'
  | 'SET_ASIDE'
  | 'IMPORT_UNKNOWN'
  | 'IMPORT_DIFFERS'
  | 'IMPORT_RECEIVED_ELSEWHERE'
  | 'IMPORT_FINISHED'
  | 'IMPORT_NOT_FINISHED'
  | 'NOTHING_REFUSED'
  | 'DATABASE_UNAVAILABLE'
  | 'SHUTTING_DOWN'
  | 'BUG';

/** What is wrong with one field: its path in the request, in the names of the proto, and what would be right. */
export interface Violation {
  field: string;
  description: string;
}

/** How many requests an API key may still make in its window. */
export interface Rate {
  /** Requests in a window of so many seconds. */
  requests: number;
  seconds: number;
  remaining: number;
  /** Milliseconds until the window ends, and the instant when it does. */
  endsIn: number;
  endsAt: number;
}

/** A failure that a caller is told about; anything else that is thrown reaches callers as INTERNAL without details. */
export class GuerdonError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason;
  readonly violations: readonly Violation[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the key whose limit refused the call. */
  readonly rate: Rate | undefined;
  /** Milliseconds after which the same call may end differently; undefined: nothing is known of that. */
  readonly retryMs: number | undefined;

  constructor(
    code: ErrorCode,
    reason: Reason,
    message: string,
    more: {
      violations?: readonly Violation[];
      metadata?: Readonly<Record<string, string>>;
      rate?: Rate;
      retryMs?: number;
    } = {},
  ) {
    super(message);
    this.name = 'GuerdonError';
    this.code = code;
    this.reason = reason;
    this.violations = more.violations ?? [];
    this.metadata = more.metadata ?? {};
    this.rate = more.rate;
    this.retryMs = more.retryMs;
  }
}

/** More than these would not fit into the trailers of an answer. */
const VIOLATIONS_MAX = 20;

/** Malformed input, told field by field; of very many fields the first ones. */
export function invalid(all: readonly Violation[]): GuerdonError {
  const violations = all.slice(0, VIOLATIONS_MAX);
  const told = violations.map(({ field, description }) => `${field}: ${description}`);
  const more = all.length - violations.length;
  const message = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return new GuerdonError('INVALID_ARGUMENT', 'FIELDS_INVALID', message, { violations });
}

const REFUSALS: Record<
  RefusalCode,
  { code: ErrorCode; message: (detail: Readonly<Record<string, string>>) => string }
> = {
  OUT_OF_POINTS: {
    code: 'FAILED_PRECONDITION',
    message: ({ system, balance, needed }) => `${system}: ${needed} points are needed, the balance is ${balance}`,
  },
  ABOVE_CAP: {
    code: 'FAILED_PRECONDITION',
    message: ({ system, balance, amount, cap }) =>
      `${system}: ${amount} points on a balance of ${balance} would exceed the cap of ${cap}`,
  },
  TOTAL_OUT_OF_RANGE: {
    code: 'OUT_OF_RANGE',
    message: ({ totalBefore, value }) =>
      `value: ${value} on a total of ${totalBefore} leaves 18 digits before the point`,
  },
  BALANCE_OUT_OF_RANGE: {
    code: 'OUT_OF_RANGE',
    message: ({ system, balance, amount }) =>
      `${system}: ${amount} points on a balance of ${balance} would leave ±(2^53 - 1)`,
  },
  POINTS_SYSTEM_UNKNOWN: {
    code: 'NOT_FOUND',
    message: () => 'system_key: the points system is no longer in the program',
  },
  USER_EXISTS: {
    code: 'ALREADY_EXISTS',
    message: () => 'user.id: is known already; IdentifyUser and UpdateUser change what is known',
  },
  USER_UNKNOWN: {
    code: 'NOT_FOUND',
    message: () => 'user.id: is not known; IdentifyUser and CreateUser make a user known',
  },
  IMPORT_DIFFERS: {
    code: 'ALREADY_EXISTS',
    message: ({ changed }) => `the user was imported with other content: ${changed} differ; adjust the points instead`,
  },
  ACHIEVEMENT_UNKNOWN: {
    code: 'NOT_FOUND',
    message: () => 'achievement_key: the project has no such achievement',
  },
  ACHIEVEMENT_NOT_FOR_USER: {
    code: 'FAILED_PRECONDITION',
    message: ({ achievement, why }) =>
      `${achievement}: ${
        why === 'inactive'
          ? 'is inactive'
          : why === 'rule'
            ? 'is completed by what the user does, not by a call'
            : 'the attributes of the user do not match its filters'
      }`,
  },
  IDEMPOTENCY_KEY_REUSED: {
    code: 'ALREADY_EXISTS',
    message: () => 'idempotency_key: was used with other content; send a new key, or the same content to repeat',
  },
};

/** A refusal as the error that a waiting call is answered with. */
export function refusalError(code: RefusalCode, detail: Readonly<Record<string, string>>): GuerdonError {
  const refusal = REFUSALS[code];
  return new GuerdonError(refusal.code, code, refusal.message(detail), { metadata: detail });
}

/** What could not be applied for a reason that is not the caller's. */
export function setAsideError(): GuerdonError {
  return new GuerdonError('INTERNAL', 'SET_ASIDE', 'it could not be applied and was set aside for the operator');
}
