import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { PendingEvent } from '../commands/accept.ts';
import { refusalError, setAsideError } from '../errors.ts';
import { type EventSchema, EventStatus } from '../gen/guerdon/v1/event_service_pb.ts';
import type { StoredEvent } from '../ledger/stored-events.ts';
import type { Call } from './call.ts';
import { pointsMessages } from './convert.ts';
import { statusOf } from './status.ts';

/** A stored event as it is shown. */
export async function eventMessage(call: Call, event: StoredEvent): Promise<MessageInitShape<typeof EventSchema>> {
  const { catalog, programs, pool } = call.api.context;
  const { metricKeyById } = await catalog.get(call.projectId);
  const common = {
    id: event.id,
    userId: event.user,
    metricKey: metricKeyById.get(event.metricId) as string,
    value: event.value,
    attributes: { ...event.attributes },
    idempotencyKey: event.key ?? '',
    occurredAt: timestampFromMs(event.occurredAt),
    receivedAt: timestampFromMs(event.receivedAt),
    programVersion: BigInt(event.programVersion),
  };
  const { outcome } = event;
  if (outcome.status === 'refused') {
    const refusal = statusOf(refusalError(outcome.code, outcome.detail));
    return { ...common, status: EventStatus.REFUSED, refusal };
  }
  const then = await programs.get(pool, call.projectId, event.programVersion);
  return {
    ...common,
    status: EventStatus.APPLIED,
    seq: outcome.seq,
    totalBefore: outcome.totalBefore,
    totalAfter: outcome.totalAfter,
    points: pointsMessages(outcome.decision, { id: event.id, at: event.occurredAt }, then),
  };
}

/** An event whose outcome is not known yet, or was set aside. */
export async function pendingMessage(
  call: Call,
  { command, status }: PendingEvent,
): Promise<MessageInitShape<typeof EventSchema>> {
  const { metricKeyById } = await call.api.context.catalog.get(call.projectId);
  return {
    id: command.id,
    userId: command.user,
    metricKey: metricKeyById.get(command.metricId) as string,
    value: command.value,
    attributes: { ...command.attributes },
    idempotencyKey: command.key ?? '',
    occurredAt: timestampFromMs(command.occurredAt),
    receivedAt: timestampFromMs(command.receivedAt),
    ...(status === 'accepted'
      ? { status: EventStatus.ACCEPTED }
      : { status: EventStatus.REFUSED, refusal: statusOf(setAsideError()) }),
  };
}
