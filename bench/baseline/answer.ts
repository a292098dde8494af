import { create } from '@bufbuild/protobuf';
import { v7 } from 'uuid';
import {
  EventStatus,
  type SendEventResponse,
  SendEventResponseSchema,
} from '../../src/gen/guerdon/v1/event_service_pb.ts';

/** An answer of the form and length that an event of the benchmark gets. */
export function answer(): SendEventResponse {
  return create(SendEventResponseSchema, {
    eventId: v7(),
    metricKey: 'lessons',
    total: '11',
    points: {
      xp: {
        added: 10n,
        total: 110n,
        level: { key: 'novice', name: 'Novice', points: 0n },
        awards: [{ triggerId: v7(), fires: 1n, amount: 10n, balanceAfter: 110n, version: 11n }],
      },
    },
    status: EventStatus.APPLIED,
  });
}
