import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventCommand } from '../commands/command.ts';
import type { EventOutcome, Outcome } from '../commands/outcome.ts';
import { GuerdonError, refusalError } from '../errors.ts';
import { EventService, EventStatus, type SendEventResponseSchema } from '../gen/guerdon/v1/event_service_pb.ts';
import { type Call, selfCheckedRoute } from './call.ts';
import { pointsMessages } from './convert.ts';
import { readEvent } from './event-input.ts';

export const sendEvent = selfCheckedRoute(
  EventService.method.sendEvent,
  (request) => [request.user?.id],
  async (call, request) => {
    const command = await readEvent(call, request);
    const [outcome] = call.api.ingest.submit([command], call.deadline) as [Promise<Outcome>];
    return answerEvent(call, command, await outcome);
  },
);

/** The answer to an event, or the error that its refusal is. */
export async function answerEvent(
  call: Call,
  command: EventCommand,
  outcome: Outcome,
): Promise<MessageInitShape<typeof SendEventResponseSchema>> {
  const event = appliedOr(outcome, 'event');
  const { context } = call.api;
  const { metricKeyById } = await context.catalog.get(call.projectId);
  return {
    eventId: event.eventId,
    metricKey: metricKeyById.get(command.metricId) as string,
    total: event.total,
    points: await pointsOf(call, event),
    idempotentReplayed: event.status === 'replayed',
    status: EventStatus.APPLIED,
  };
}

async function pointsOf(call: Call, event: EventOutcome) {
  const { programs, pool } = call.api.context;
  const then = await programs.get(pool, call.projectId, event.programVersion);
  const at = { id: event.eventId, at: event.occurredAt };
  if (event.now === undefined) return pointsMessages(event.decision, at, then);
  const current = await programs.current(pool, [call.projectId]);
  const index = current.get(call.projectId) ?? then;
  return pointsMessages(event.decision, at, then, { balances: event.now, index });
}

/** The outcome that was applied, or the error that tells why none was. */
export function appliedOr<K extends 'event' | 'transaction' | 'user'>(
  outcome: Outcome,
  kind: K,
): Extract<Outcome, { kind: K }> {
  if (outcome.status === 'refused') throw refusalError(outcome.code, outcome.detail);
  if (outcome.status === 'failed' || outcome.kind !== kind) {
    throw new GuerdonError('INTERNAL', 'SET_ASIDE', 'it could not be applied and was set aside for the operator');
  }
  return outcome as Extract<Outcome, { kind: K }>;
}
