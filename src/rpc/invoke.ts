import { create, type Message } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import { invalid, type Violation } from '../errors.ts';
import type { ApiKeys, Headers } from './auth.ts';
import type { Api, Route } from './call.ts';
import { textViolations } from './text.ts';

/** A call without a deadline of its own waits this long; a longer one is cut. */
export const DEADLINE_DEFAULT_MS = 30_000;
export const DEADLINE_MAX_MS = 120_000;

const validator = createValidator();

/** Runs one call, whatever transport brought it: who calls, is the input right, then the handler. */
export async function invoke(
  api: Api,
  keys: ApiKeys,
  route: Route,
  request: Message,
  headers: Headers,
  timeoutMs: number | undefined,
): Promise<Message> {
  const receivedAt = api.context.now();
  const projectId = await keys.authenticate(headers);
  if (route.validate === 'proto') validate(route, request);
  const deadline = receivedAt + Math.min(timeoutMs ?? DEADLINE_DEFAULT_MS, DEADLINE_MAX_MS);
  const answer = await route.handle({ api, projectId, receivedAt, deadline }, request as never);
  return create(route.method.output, answer as never);
}

function validate(route: Route, request: Message): void {
  const violations = [...protoViolations(route, request), ...textViolations(request)];
  if (violations.length > 0) throw invalid(violations);
}

/** What the rules in the proto say of a message. */
export function protoViolations(route: Pick<Route, 'method'>, request: Message): Violation[] {
  const result = validator.validate(route.method.input, request as never);
  if (result.kind === 'error') throw result.error;
  if (result.kind === 'valid') return [];
  return result.violations.map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message,
  }));
}
