import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventCommand } from '../commands/command.ts';
import { invalid } from '../errors.ts';
import { EventService, type SendEventResultSchema } from '../gen/guerdon/v1/event_service_pb.ts';
import type { Delivery } from '../queue/ingest.ts';
import { type Call, selfCheckedRoute } from './call.ts';
import { readEvent } from './event-input.ts';
import { answerEvent } from './send-event.ts';
import { statusOf, toGuerdonError } from './status.ts';

const EVENTS_MAX = 500;

type Result = MessageInitShape<typeof SendEventResultSchema>;

export const sendEvents = selfCheckedRoute(
  EventService.method.sendEvents,
  (request) => request.events.map((event) => event.user?.id),
  async (call, { events }) => {
    if (events.length === 0 || events.length > EVENTS_MAX) {
      throw invalid([{ field: 'events', description: `must have 1 to ${EVENTS_MAX} items; it has ${events.length}` }]);
    }
    const read = await Promise.allSettled(events.map((event) => readEvent(call, event)));
    const commands = read.filter((item) => item.status === 'fulfilled').map((item) => item.value);
    const deliveries = call.api.ingest.submit(commands, call.deadline);
    const deliveryOf = new Map(commands.map((command, index) => [command, deliveries[index] as Promise<Delivery>]));
    const results = read.map((item) =>
      item.status === 'fulfilled'
        ? answer(call, item.value, deliveryOf.get(item.value) as Promise<Delivery>)
        : failure(call, item.reason),
    );
    return { results: await Promise.all(results) };
  },
);

async function answer(call: Call, command: EventCommand, delivery: Promise<Delivery>): Promise<Result> {
  try {
    return { result: { case: 'event', value: await answerEvent(call, command, await delivery) } };
  } catch (error) {
    return failure(call, error);
  }
}

function failure(call: Call, error: unknown): Result {
  return { result: { case: 'error', value: statusOf(toGuerdonError(error, call.api.context.log)) } };
}
