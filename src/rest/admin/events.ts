import { create } from '@bufbuild/protobuf';
import { GuerdonError, invalid, type Violation } from '../../errors.ts';
import { type SendEventRequest, SendEventRequestSchema } from '../../gen/guerdon/v1/event_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { readEvent } from '../../rpc/event-input.ts';
import { receiveImport } from '../../rpc/imports/receive.ts';
import { knownAddress } from '../app/users.ts';
import type { Answer, RestCall } from '../route.ts';
import { checkSubscription, type UpsertedUser, userInput } from '../shapes/user.ts';

interface BatchEvent {
  key: string;
  user: UpsertedUser;
  /** A decimal. */
  value: string;
  attributes?: Record<string, string>;
  idempotencyKey?: string;
}

/**
 * All of the events, or none: stored as an import before the answer and applied after it, those of one user in the order of
 * the list.
 */
export async function batchEvents({ call, body }: RestCall<BatchEvent[]>): Promise<Answer> {
  const { catalog } = call.api.context;
  const { metricIdByKey } = await catalog.fresh(call.projectId);
  const stranger = body.find(({ key }) => !metricIdByKey.has(key));
  if (stranger !== undefined) {
    throw new GuerdonError('NOT_FOUND', 'METRIC_UNKNOWN', `key: no metric ${JSON.stringify(stranger.key)}`);
  }
  const events = await readAll(call, body);
  await receiveImport(call, { id: undefined, name: NAME, dryRun: false }, { format: 'events', messages: once(events) });
  return { body: { accepted: events.length } };
}

const NAME = 'POST /admin/v1/metrics/events';

async function* once(events: readonly SendEventRequest[]): AsyncGenerator<readonly SendEventRequest[]> {
  yield events;
}

async function readAll(call: Call, events: readonly BatchEvent[]): Promise<SendEventRequest[]> {
  const read = await Promise.allSettled(events.map((event) => readOne(call, event)));
  const wrong = read.flatMap((item, index) => (item.status === 'rejected' ? violationsOf(item.reason, index) : []));
  if (wrong.length > 0) throw invalid(wrong);
  return read.flatMap((item) => (item.status === 'fulfilled' ? [item.value] : []));
}

async function readOne(
  call: Call,
  { key, user, value, attributes, idempotencyKey = '' }: BatchEvent,
): Promise<SendEventRequest> {
  checkSubscription(user, await knownAddress(call, user), 'user.');
  const content = { metricKey: key, user: userInput(user), value, attributes, idempotencyKey };
  const request = create(SendEventRequestSchema, content as never);
  await readEvent(call, request);
  // Two batches may say the same without keys and mean it: the rows of a file would count once.
  if (idempotencyKey === '') request.idempotencyKey = call.api.context.uuid();
  return request;
}

/** What is wrong with one event, by its place in the list; a failure that is not the event's goes on. */
function violationsOf(error: unknown, index: number): Violation[] {
  if (!(error instanceof GuerdonError) || error.violations.length === 0) throw error;
  return error.violations.map(({ field, description }) => ({ field: `[${index}].${field}`, description }));
}
