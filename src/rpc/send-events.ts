import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventCommand } from '../commands/command.ts';
import type { Outcome } from '../commands/outcome.ts';
import { invalid } from '../errors.ts';
import { EventService, type SendEventResultSchema } from '../gen/guerdon/v1/event_service_pb.ts';
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
    const outcomes = call.api.ingest.submit(commands, call.deadline);
    const outcomeOf = new Map(commands.map((command, index) => [command, outcomes[index] as Promise<Outcome>]));
    const results = read.map((item) =>
      item.status === 'fulfilled'
        ? answer(call, item.value, outcomeOf.get(item.value) as Promise<Outcome>)
        : failure(call, item.reason),
    );
    return { results: await Promise.all(results) };
  },
);

async function answer(call: Call, command: EventCommand, outcome: Promise<Outcome>): Promise<Result> {
  try {
    return { result: { case: 'event', value: await answerEvent(call, command, await outcome) } };
  } catch (error) {
    return failure(call, error);
  }
}

function failure(call: Call, error: unknown): Result {
  return { result: { case: 'error', value: statusOf(toGuerdonError(error, call.api.context.log)) } };
}
