import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import type { EventCommand } from '../commands/command.ts';
import type { ImportedEvent } from '../commands/imports/store-rows.ts';
import type { ProjectCatalog } from '../db/catalog.ts';
import { invalid, type Violation } from '../errors.ts';
import { Ack, type SendEventRequest } from '../gen/guerdon/v1/event_service_pb.ts';
import type { UserInput } from '../gen/guerdon/v1/types_pb.ts';
import { DECIMAL_PATTERN, formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { Instant } from '../rules/types.ts';
import type { Call } from './call.ts';
import { TIMESTAMP_RANGE } from './page.ts';
import { textViolation } from './text.ts';
import { attributeViolations, KEY, lengthViolation, profileOf, undeclared, userViolations } from './user-input.ts';

const KEY_MAX = 255;
/** How far a sender's clock may run ahead of ours. */
const AHEAD_MS = 5 * 60_000;

/**
 * Checks an event without evaluating the proto's rules, which say the same but cost more than the rest of the call,
 * and against what the project has declared. INVALID_ARGUMENT names every field at fault.
 */
export async function readEvent(call: Call, request: SendEventRequest): Promise<EventCommand> {
  const { catalog } = call.api.context;
  let project = await catalog.get(call.projectId);
  if (isUnknownHere(project, request)) project = await catalog.fresh(call.projectId);
  const violations = [
    ...shapeViolations(request, call.receivedAt),
    ...declarationViolations(project, request),
    ...keyViolations(project, request),
    ...trustViolations(call, request),
  ];
  if (violations.length > 0) throw invalid(violations);
  return toCommand(call, project, request);
}

/**
 * A row of an import, checked like an event that is sent by itself. It needs no key, since it is given one, and one without
 * an instant happened when the import began.
 */
export function readImported(
  project: ProjectCatalog,
  request: SendEventRequest,
  { now, begunAt }: { now: Instant; begunAt: Instant },
): ImportedEvent | Violation[] {
  const violations = [...shapeViolations(request, now), ...declarationViolations(project, request)];
  return violations.length > 0 ? violations : eventOf(project, request, begunAt);
}

/** What the request says of the event. */
function eventOf(project: ProjectCatalog, request: SendEventRequest, receivedAt: Instant): ImportedEvent {
  const user = request.user as UserInput;
  return {
    user: user.id,
    profile: profileOf(user),
    metricId: project.metricIdByKey.get(request.metricKey) as string,
    value: formatDecimal(parseDecimal(request.value)),
    attributes: { ...request.attributes },
    key: request.idempotencyKey === '' ? null : request.idempotencyKey,
    occurredAt: request.occurredAt === undefined ? receivedAt : timestampMs(request.occurredAt),
    occurredAtSent: request.occurredAt !== undefined,
  };
}

function toCommand(call: Call, project: ProjectCatalog, request: SendEventRequest): EventCommand {
  const { context } = call.api;
  const id = context.uuid();
  if (request.idempotencyKey === '' && project.keylessEvents === 'warn') {
    context.log.warn({ project: project.key, event: id }, 'event without an idempotency key');
  }
  return {
    kind: 'event',
    id,
    projectId: call.projectId,
    ...eventOf(project, request, call.receivedAt),
    receivedAt: call.receivedAt,
    ...(request.ack === Ack.ACCEPTED && { inbox: true }),
  };
}

/** What is wrong with an event whoever sends it; the same as the proto's rules, and what they cannot say. */
export function shapeViolations(request: SendEventRequest, now: number): Violation[] {
  return [
    ...(KEY.test(request.metricKey) ? [] : [{ field: 'metric_key', description: 'must be the key of a metric' }]),
    ...(request.user === undefined
      ? [{ field: 'user', description: 'must name the user' }]
      : userViolations(request.user)),
    ...(DECIMAL_PATTERN.test(request.value)
      ? []
      : [
          {
            field: 'value',
            description: 'must be a decimal like "1" or "-2.5": 1 to 18 digits, then at most 9 decimals',
          },
        ]),
    ...attributeViolations('attributes', request.attributes),
    ...lengthViolation('idempotency_key', request.idempotencyKey, KEY_MAX),
    ...textViolation('idempotency_key', request.idempotencyKey),
    ...instantViolations(request.occurredAt, now),
    ...((Object.values(Ack) as number[]).includes(request.ack)
      ? []
      : [{ field: 'ack', description: 'must be a known value' }]),
  ];
}

function instantViolations(occurredAt: Timestamp | undefined, now: number): Violation[] {
  if (occurredAt === undefined) return [];
  const at = timestampMs(occurredAt);
  if (!(at >= TIMESTAMP_RANGE[0] && at <= TIMESTAMP_RANGE[1])) {
    return [{ field: 'occurred_at', description: 'must be within the years 1 to 9999' }];
  }
  if (at <= now + AHEAD_MS) return [];
  return [{ field: 'occurred_at', description: 'must not be later than 5 minutes from now' }];
}

function declarationViolations(project: ProjectCatalog, request: SendEventRequest): Violation[] {
  const { metricKey, user, attributes } = request;
  return [
    ...(KEY.test(metricKey) && !project.metricIdByKey.has(metricKey)
      ? [{ field: 'metric_key', description: `no metric ${JSON.stringify(metricKey)} in project ${project.key}` }]
      : []),
    ...undeclared('attributes', attributes, project.eventAttributes, 'an event attribute'),
    ...undeclared('user.attributes', user?.attributes ?? {}, project.userAttributes, 'a user attribute'),
  ];
}

function keyViolations(project: ProjectCatalog, request: SendEventRequest): Violation[] {
  if (request.idempotencyKey !== '' || project.keylessEvents !== 'refuse') return [];
  return [
    { field: 'idempotency_key', description: `must be sent: project ${project.key} takes no events without one` },
  ];
}

/** The app of a user has no say in when something happened. */
function trustViolations(call: Call, request: SendEventRequest): Violation[] {
  if (request.occurredAt === undefined || call.caller.kind !== 'application') return [];
  return [{ field: 'occurred_at', description: 'must be left out: only admin keys may say when it happened' }];
}

export function isUnknownHere(project: ProjectCatalog, request: SendEventRequest): boolean {
  return declarationViolations(project, request).length > 0;
}
