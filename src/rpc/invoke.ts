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
  return perform(await admit(api, keys, headers, timeoutMs), route, request);
}

/** The same for somebody who is admitted already. */
export async function perform(call: Call, route: Route, request: Message): Promise<Message> {
  const checked = check(call, route, request);
  return create(route.method.output, (await route.handle(checked, request as never)) as never);
}

/** The same for a call that goes on answering, until `stop` is aborted: by the transport when the caller goes, or from here. */
export async function* invokeStream(
  api: Api,
  keys: ApiKeys,
  route: StreamRoute,
  request: Message,
  headers: Headers,
  stop: AbortController,
): AsyncGenerator<Message> {
  const call = check(await admit(api, keys, headers, undefined), route, request);
  const leave = api.streams.enter(call.caller.keyId, stop);
  try {
    for await (const answer of route.open(call, request as never, stop.signal)) {
      stop.signal.throwIfAborted();
      yield create(route.method.output, answer as never);
    }
  } finally {
    leave();
  }
}

/** The same for a call that takes messages until they end, of which the first is checked. */
export async function invokeIntake(
  api: Api,
  keys: ApiKeys,
  route: IntakeRoute,
  requests: AsyncIterable<Message>,
  headers: Headers,
  stop: AbortController,
): Promise<Message> {
  const call = await admit(api, keys, headers, undefined);
  authorize(route, call.caller, undefined);
  const leave = api.streams.enter(call.caller.keyId, stop);
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
  });
  try {
    const taken = route.take(call, whileOpen(route, requests, stop.signal) as never);
    return create(route.method.output, (await Promise.race([taken, stopped])) as never);
  } finally {
    leave();
  }
}

/** One that is stopped does not end like one that is complete. */
async function* whileOpen(
  route: IntakeRoute,
  requests: AsyncIterable<Message>,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  let first = true;
  for await (const request of requests) {
    signal.throwIfAborted();
    if (first) validate(route, request);
    first = false;
    yield request;
  }
  signal.throwIfAborted();
}

/** Who calls, and for how long: UNAUTHENTICATED without a valid key, RESOURCE_EXHAUSTED beyond its rate limit. */
export async function admit(api: Api, keys: ApiKeys, headers: Headers, timeoutMs: number | undefined): Promise<Call> {
  const receivedAt = api.context.now();
  const { projectId, caller } = await keys.authenticate(headers);
  const rate = caller.limit === null ? null : await api.limits.take(caller);
  const deadline = receivedAt + Math.min(timeoutMs ?? DEADLINE_DEFAULT_MS, DEADLINE_MAX_MS);
  return { api, projectId, caller, rate, receivedAt, deadline, itemViolations: [] };
}

/** The call as its route may take it: throws where it may not. */
function check(call: Call, route: Route | StreamRoute, request: Message): Call {
  authorize(route, call.caller, request);
  return route.validate === 'proto' ? { ...call, itemViolations: validate(route, request) } : call;
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
