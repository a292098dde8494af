import { type PendingEvent, pendingById, pendingByKey } from '../commands/accept.ts';
import { GuerdonError } from '../errors.ts';
import { EventService, type GetEventRequest } from '../gen/guerdon/v1/event_service_pb.ts';
import { eventById, eventByKey, type StoredEvent } from '../ledger/stored-events.ts';
import { type Call, route } from './call.ts';
import { eventMessage, pendingMessage } from './event-message.ts';

type Lookup = GetEventRequest['lookup'];

export const getEvent = route(EventService.method.getEvent, 'project', async (call, { lookup }) => {
  const stored = await findStored(call, lookup);
  if (stored !== undefined) return { event: await eventMessage(call, allowed(call, stored, stored.user)) };
  const pending = await findPending(call, lookup);
  if (pending !== undefined) {
    return { event: await pendingMessage(call, allowed(call, pending, pending.command.user)) };
  }
  // Applied between the two looks, or not there.
  return { event: await eventMessage(call, await findEvent(call, lookup)) };
});

/** The applied or refused event that is asked for, if the caller may know of it; else NOT_FOUND. */
export async function findEvent(call: Call, lookup: Lookup): Promise<StoredEvent> {
  const event = await findStored(call, lookup);
  return allowed(call, event, event?.user);
}

/** An application key is told of its own user's events only. */
function allowed<T>(call: Call, event: T | undefined, of: string | undefined): T {
  const { kind, user } = call.caller;
  if (event === undefined || (kind === 'application' && of !== user)) {
    throw new GuerdonError('NOT_FOUND', 'EVENT_UNKNOWN', 'no such event is stored');
  }
  return event;
}

async function findStored(call: Call, lookup: Lookup): Promise<StoredEvent | undefined> {
  const { pool } = call.api.context;
  if (lookup.case === 'eventId') return eventById(pool, call.projectId, lookup.value);
  const name = await nameOf(call, lookup);
  return name && eventByKey(pool, call.projectId, name);
}

async function findPending(call: Call, lookup: Lookup): Promise<PendingEvent | undefined> {
  const { pool } = call.api.context;
  if (lookup.case === 'eventId') return pendingById(pool, call.projectId, lookup.value);
  const name = await nameOf(call, lookup);
  return name && pendingByKey(pool, call.projectId, name);
}

async function nameOf(call: Call, lookup: Lookup) {
  if (lookup.case !== 'key') return undefined;
  const { userId, metricKey, idempotencyKey } = lookup.value;
  const { metricIdByKey } = await call.api.context.catalog.get(call.projectId);
  const metricId = metricIdByKey.get(metricKey);
  return metricId === undefined ? undefined : { user: userId, metricId, key: idempotencyKey };
}
