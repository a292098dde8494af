import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import type { EventCommand, Profile } from '../commands/command.ts';
import type { ProjectCatalog } from '../db/catalog.ts';
import { GuerdonError, invalid, type Violation } from '../errors.ts';
import { Ack, type SendEventRequest } from '../gen/guerdon/v1/event_service_pb.ts';
import type { UserInput } from '../gen/guerdon/v1/types_pb.ts';
import { DECIMAL_PATTERN, formatDecimal, parseDecimal } from '../rules/decimal.ts';
import { isZone } from '../rules/zone.ts';
import type { Call } from './call.ts';
import { textViolation } from './text.ts';

const KEY = /^[a-zA-Z0-9_-]{1,64}$/;
const ID_MAX = 255;
const TEXT_MAX = 255;
const EMAIL_MAX = 320;
const ZONE_MAX = 64;
const ATTRIBUTES_MAX = 50;
/** How far a sender's clock may run ahead of ours. */
const AHEAD_MS = 5 * 60_000;
/** The first instant of year 1 and the last of year 9999, which a Timestamp may not leave. */
const TIMESTAMP_RANGE = [-62_135_596_800_000, 253_402_300_799_999] as const;

/**
 * Checks an event without evaluating the proto's rules, which say the same but cost more than the rest of the call,
 * and against what the project has declared. INVALID_ARGUMENT names every field at fault.
 */
export async function readEvent(call: Call, request: SendEventRequest): Promise<EventCommand> {
  if (request.ack === Ack.ACCEPTED) {
    throw new GuerdonError('UNIMPLEMENTED', 'ACK_NOT_OFFERED', 'ack: ACK_ACCEPTED is not offered; leave it out');
  }
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

function toCommand(call: Call, project: ProjectCatalog, request: SendEventRequest): EventCommand {
  const { context } = call.api;
  const user = request.user as UserInput;
  const id = context.uuid();
  if (request.idempotencyKey === '' && project.keylessEvents === 'warn') {
    context.log.warn({ project: project.key, event: id }, 'event without an idempotency key');
  }
  return {
    kind: 'event',
    id,
    projectId: call.projectId,
    user: user.id,
    profile: profileOf(user),
    metricId: project.metricIdByKey.get(request.metricKey) as string,
    value: formatDecimal(parseDecimal(request.value)),
    attributes: { ...request.attributes },
    key: request.idempotencyKey === '' ? null : request.idempotencyKey,
    occurredAt: request.occurredAt === undefined ? call.receivedAt : timestampMs(request.occurredAt),
    occurredAtSent: request.occurredAt !== undefined,
    receivedAt: call.receivedAt,
  };
}

function profileOf(user: UserInput): Profile {
  return {
    ...(user.name !== undefined && { name: user.name }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.tz !== undefined && { tz: user.tz }),
    ...(Object.keys(user.attributes).length > 0 && { attributes: { ...user.attributes } }),
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
    ...lengthViolation('idempotency_key', request.idempotencyKey, TEXT_MAX),
    ...textViolation('idempotency_key', request.idempotencyKey),
    ...instantViolations(request.occurredAt, now),
    ...((Object.values(Ack) as number[]).includes(request.ack)
      ? []
      : [{ field: 'ack', description: 'must be a known value' }]),
  ];
}

function userViolations(user: UserInput): Violation[] {
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
  ];
}

function attributeViolations(field: string, attributes: Record<string, string>): Violation[] {
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) return [{ field, description: `must have at most ${ATTRIBUTES_MAX} entries` }];
  return entries.flatMap(([key, value]) => {
    const at = `${field}[${JSON.stringify(key)}]`;
    if (!KEY.test(key)) return [{ field: at, description: 'keys are 1 to 64 letters, digits, "_" or "-"' }];
    return [...lengthViolation(at, value, TEXT_MAX), ...textViolation(at, value)];
  });
}

/** Characters are Unicode code points, as in the proto's rules and in PostgreSQL. */
function lengthViolation(field: string, text: string, max: number): Violation[] {
  if (text.length <= max || [...text].length <= max) return [];
  return [{ field, description: `must have at most ${max} characters` }];
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

function undeclared(
  field: string,
  given: Record<string, string>,
  declared: ReadonlySet<string>,
  what: string,
): Violation[] {
  return Object.keys(given)
    .filter((key) => KEY.test(key) && !declared.has(key))
    .map((key) => ({ field: `${field}[${JSON.stringify(key)}]`, description: `must be declared as ${what} first` }));
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

function isUnknownHere(project: ProjectCatalog, request: SendEventRequest): boolean {
  return declarationViolations(project, request).length > 0;
}
