import { create, type Message } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import { invalid, type Violation } from '../errors.ts';
import type { ApiKeys, Headers } from './auth.ts';
import {
  type Api,
  authorize,
  type Call,
  type IntakeRoute,
  type ItemViolation,
  type Route,
  type StreamRoute,
} from './call.ts';
import { snake, textViolations } from './text.ts';

/** A call without a deadline of its own waits this long; a longer one is cut. */
export const DEADLINE_DEFAULT_MS = 30_000;
export const DEADLINE_MAX_MS = 120_000;

const validator = createValidator();

type AnyRoute = Route | StreamRoute | IntakeRoute;

/** Runs one call, whatever transport brought it: who calls, is the input right, then the handler. */
export async function invoke(
  api: Api,
  keys: ApiKeys,
  route: Route,
  request: Message,
  headers: Headers,
  timeoutMs: number | undefined,
): Promise<Message> {
  const call = await admit(api, keys, route, headers, request, timeoutMs);
  return create(route.method.output, (await route.handle(call, request as never)) as never);
}

/** The same for a call that goes on answering. */
export async function* invokeStream(
  api: Api,
  keys: ApiKeys,
  route: StreamRoute,
  request: Message,
  headers: Headers,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const call = await admit(api, keys, route, headers, request);
  for await (const answer of route.open(call, request as never, signal)) {
    yield create(route.method.output, answer as never);
  }
}

/** The same for a call that takes messages until they end: who calls is settled before the first is looked at. */
export async function invokeIntake(
  api: Api,
  keys: ApiKeys,
  route: IntakeRoute,
  requests: AsyncIterable<Message>,
  headers: Headers,
): Promise<Message> {
  const call = await admit(api, keys, route, headers);
  return create(route.method.output, (await route.take(call, firstChecked(route, requests) as never)) as never);
}

async function* firstChecked(route: IntakeRoute, requests: AsyncIterable<Message>): AsyncGenerator<Message> {
  let checked = false;
  for await (const request of requests) {
    if (!checked) validate(route, request);
    checked = true;
    yield request;
  }
}

async function admit(
  api: Api,
  keys: ApiKeys,
  route: AnyRoute,
  headers: Headers,
  request?: Message,
  timeoutMs?: number,
): Promise<Call> {
  const receivedAt = api.context.now();
  const { projectId, caller } = await keys.authenticate(headers);
  authorize(route, caller, request);
  const itemViolations = route.validate === 'proto' && request !== undefined ? validate(route, request) : [];
  const deadline = receivedAt + Math.min(timeoutMs ?? DEADLINE_DEFAULT_MS, DEADLINE_MAX_MS);
  return { api, projectId, caller, receivedAt, deadline, itemViolations };
}

/** Throws for a request that is wrong as a whole; gives what is wrong with single items. */
function validate(route: AnyRoute, request: Message): ItemViolation[] {
  const violations = [...protoViolations(route, request), ...textViolations(request)];
  const [whole, items] = route.items === null ? [violations, []] : ofItems(snake(route.items), violations);
  if (whole.length > 0) throw invalid(whole);
  return items;
}

function ofItems(list: string, violations: readonly Violation[]): [whole: Violation[], items: ItemViolation[]] {
  const whole: Violation[] = [];
  const items: ItemViolation[] = [];
  for (const violation of violations) {
    const { field, description } = violation;
    const [, index, inside] = field.startsWith(`${list}[`)
      ? (/^\[(\d+)\]\.?(.*)$/.exec(field.slice(list.length)) ?? [])
      : [];
    if (index === undefined || inside === undefined) whole.push(violation);
    else items.push({ index: Number(index), field: inside, description });
  }
  return [whole, items];
}

/** What the rules in the proto say of a message. */
export function protoViolations(route: Pick<AnyRoute, 'method'>, request: Message): Violation[] {
  const result = validator.validate(route.method.input, request as never);
  if (result.kind === 'error') throw result.error;
  if (result.kind === 'valid') return [];
  return result.violations.map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message,
  }));
}
