import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventCommand } from '../commands/command.ts';
import type { EventOutcome, Outcome } from '../commands/outcome.ts';
import { refusalError, setAsideError } from '../errors.ts';
import { EventService, EventStatus, type SendEventResponseSchema } from '../gen/guerdon/v1/event_service_pb.ts';
import type { Delivery } from '../queue/ingest.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { completedMessage } from './achievements/completed-message.ts';
import { eventStreak } from './achievements/streak-message.ts';
import { type Call, selfCheckedRoute } from './call.ts';
import { fromDecision, pointsMessages } from './convert.ts';
import { readEvent } from './event-input.ts';
import { currentProgram } from './lookup.ts';

export const sendEvent = selfCheckedRoute(
  EventService.method.sendEvent,
  (request) => [request.user?.id],
  async (call, request) => {
    const command = await readEvent(call, request);
    const [delivery] = call.api.ingest.submit([command], call.deadline) as [Promise<Delivery>];
    return answerEvent(call, command, await delivery);
  },
);

/** The answer to an event, or the error that its refusal is. */
export async function answerEvent(
  call: Call,
  command: EventCommand,
  delivery: Delivery,
): Promise<MessageInitShape<typeof SendEventResponseSchema>> {
  const { context } = call.api;
  const { metricKeyById } = await context.catalog.get(call.projectId);
  if (delivery.status === 'accepted') {
    const metricKey = metricKeyById.get(command.metricId) as string;
    return { eventId: command.id, metricKey, status: EventStatus.ACCEPTED };
  }
  const event = appliedOr(delivery, 'event');
  const then = await context.programs.get(context.pool, call.projectId, event.programVersion);
  const { streak, completed } = fromDecision(event.decision);
  return {
    eventId: event.eventId,
    metricKey: metricKeyById.get(command.metricId) as string,
    total: event.total,
    points: await pointsOf(call, event, then),
    idempotentReplayed: event.status === 'replayed',
    status: EventStatus.APPLIED,
    achievements: completed.map((completion) => completedMessage(completion, event.occurredAt, then)),
    ...eventStreak(streak, then.program),
  };
}

async function pointsOf(call: Call, event: EventOutcome, then: ProgramIndex) {
  const at = { id: event.eventId, at: event.occurredAt };
  if (event.now === undefined) return pointsMessages(event.decision, at, then);
  return pointsMessages(event.decision, at, then, { balances: event.now, index: await currentProgram(call) });
}

/** The outcome that was applied, or the error that tells why none was. */
export function appliedOr<K extends 'event' | 'transaction' | 'user' | 'completion'>(
  outcome: Outcome,
  kind: K,
): Extract<Outcome, { kind: K }> {
  if (outcome.status === 'refused') throw refusalError(outcome.code, outcome.detail);
  if (outcome.status === 'failed' || outcome.kind !== kind) {
    throw setAsideError();
  }
  return outcome as Extract<Outcome, { kind: K }>;
}
