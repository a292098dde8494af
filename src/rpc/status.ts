import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { isMachineryFailure } from '../db/failures.ts';
import { type ErrorCode, GuerdonError } from '../errors.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import { type Status, StatusSchema } from '../gen/google/rpc/status_pb.ts';

const DOMAIN = 'guerdon';

/** The numbers that gRPC and Connect share. */
export const CODE_NUMBERS: Record<ErrorCode, number> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** What callers are told of any failure: their own in full, ours without what is inside. */
export function toGuerdonError(error: unknown, log: { error(details: object, message: string): void }): GuerdonError {
  if (error instanceof GuerdonError) return error;
  if (isMachineryFailure(error)) {
    log.error({ err: error }, 'database not reached');
    return new GuerdonError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'the database does not answer; call again');
  }
  log.error({ err: error }, 'call failed');
  return new GuerdonError('INTERNAL', 'BUG', 'the server failed; its log has the details');
}

export type Detail = { desc: DescMessage; value: MessageInitShape<DescMessage> };

/** Details of an error: a stable reason for programs, the fields at fault, the limit exceeded, and when to call again. */
export function detailsOf(error: GuerdonError): Detail[] {
  const { reason, metadata, violations, rate, retryMs } = error;
  const details: Detail[] = [{ desc: ErrorInfoSchema, value: { reason, domain: DOMAIN, metadata } as never }];
  if (violations.length > 0) {
    details.push({
      desc: BadRequestSchema,
      value: { fieldViolations: violations.map((item) => ({ ...item })) } as never,
    });
  }
  if (rate !== undefined) {
    const { requests, seconds, endsIn } = rate;
    const violation = { subject: `api_key:${metadata.prefix}`, description: `${requests} requests in ${seconds} s` };
    details.push(
      { desc: RetryInfoSchema, value: { retryDelay: durationFromMs(endsIn) } as never },
      { desc: QuotaFailureSchema, value: { violations: [violation] } as never },
    );
  }
  if (retryMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryMs) } as never });
  }
  return details;
}

export function statusOf(error: GuerdonError): Status {
  return create(StatusSchema, {
    code: CODE_NUMBERS[error.code],
    message: error.message,
    details: detailsOf(error).map(({ desc, value }) => anyPack(desc, create(desc, value))),
  });
}

export function statusBytes(error: GuerdonError): Uint8Array {
  return toBinary(StatusSchema, statusOf(error));
}
