import { GuerdonError } from '../errors.ts';
import { EventService, type GetEventRequest } from '../gen/guerdon/v1/event_service_pb.ts';
import { eventById, eventByKey, type StoredEvent } from '../ledger/stored-events.ts';
import { type Call, route } from './call.ts';
import { eventMessage } from './event-message.ts';

export const getEvent = route(EventService.method.getEvent, 'project', async (call, request) => {
  return { event: await eventMessage(call, await findEvent(call, request.lookup)) };
});

/** The event that is asked for, if the caller may know of it; else NOT_FOUND. */
export async function findEvent(call: Call, lookup: GetEventRequest['lookup']): Promise<StoredEvent> {
  const event = await find(call, lookup);
  const { kind, user } = call.caller;
  if (event === undefined || (kind === 'application' && event.user !== user)) {
    throw new GuerdonError('NOT_FOUND', 'EVENT_UNKNOWN', 'no such event is stored');
  }
  return event;
}

async function find(call: Call, lookup: GetEventRequest['lookup']): Promise<StoredEvent | undefined> {
  const { pool, catalog } = call.api.context;
  if (lookup.case === 'eventId') return eventById(pool, call.projectId, lookup.value);
  if (lookup.case !== 'key') return undefined;
  const { userId, metricKey, idempotencyKey } = lookup.value;
  const { metricIdByKey } = await catalog.get(call.projectId);
  const metricId = metricIdByKey.get(metricKey);
  if (metricId === undefined) return undefined;
  return eventByKey(pool, call.projectId, { user: userId, metricId, key: idempotencyKey });
}
