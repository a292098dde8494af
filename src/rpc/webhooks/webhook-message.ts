import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { LoggedDelivery } from '../../commands/webhooks/delivery-log.ts';
import type { WebhookRecord } from '../../db/entities/webhook.ts';
import { GuerdonError } from '../../errors.ts';
import {
  type WebhookDeliverySchema,
  WebhookDeliveryStatus,
  WebhookPausedReason,
  type WebhookSchema,
  WebhookStatus,
} from '../../gen/guerdon/v1/webhook_service_pb.ts';
import { EVENT_TYPES } from '../../webhooks/kinds.ts';
import { messageId } from '../../webhooks/message-id.ts';
import type { Call } from '../call.ts';

const STATUS = { active: WebhookStatus.ACTIVE, paused: WebhookStatus.PAUSED } as const;
const REASON = {
  asked: WebhookPausedReason.ASKED,
  dead: WebhookPausedReason.DEAD,
  gone: WebhookPausedReason.GONE,
} as const;
export const DELIVERY_STATUS = {
  pending: WebhookDeliveryStatus.PENDING,
  delivered: WebhookDeliveryStatus.DELIVERED,
  failed: WebhookDeliveryStatus.FAILED,
} as const;

/** A webhook without its secrets, as it is at `now`. */
export function webhookMessage(record: WebhookRecord, now: number): MessageInitShape<typeof WebhookSchema> {
  const { pausedReason, pausedAt, failingSince, previousUntil, archivedAt } = record;
  const overlap = previousUntil != null && previousUntil.getTime() > now ? previousUntil : null;
  return {
    id: record.id,
    name: record.name,
    url: record.url,
    eventTypes: record.kinds.map((kind) => EVENT_TYPES[kind]),
    pointsChangedInterval: record.pointsInterval,
    status: STATUS[record.status],
    pausedReason: pausedReason == null ? WebhookPausedReason.UNSPECIFIED : REASON[pausedReason],
    failures: record.failures,
    createdAt: timestampFromMs(record.createdAt.getTime()),
    updatedAt: timestampFromMs(record.updatedAt.getTime()),
    ...(pausedAt != null && { pausedAt: timestampFromMs(pausedAt.getTime()) }),
    ...(failingSince != null && { failingSince: timestampFromMs(failingSince.getTime()) }),
    ...(overlap !== null && { previousSecretUntil: timestampFromMs(overlap.getTime()) }),
    ...(archivedAt != null && { archivedAt: timestampFromMs(archivedAt.getTime()) }),
  };
}

export function deliveryMessage(delivery: LoggedDelivery): MessageInitShape<typeof WebhookDeliverySchema> {
  const { webhookId, kind, user, status, createdAt, finishedAt, attempts } = delivery;
  return {
    id: messageId(delivery),
    webhookId,
    eventType: EVENT_TYPES[kind],
    userId: user ?? '',
    status: DELIVERY_STATUS[status],
    createdAt: timestampFromMs(createdAt),
    ...(finishedAt !== null && { finishedAt: timestampFromMs(finishedAt) }),
    attempts: attempts.map(({ at, durationMs, statusCode, error, answer }) => ({
      at: timestampFromMs(at),
      durationMs,
      statusCode: statusCode ?? 0,
      error: error ?? '',
      answer,
    })),
  };
}

export function webhookUnknown(field: string, id: string): GuerdonError {
  return new GuerdonError('NOT_FOUND', 'WEBHOOK_UNKNOWN', `${field}: no webhook ${id}`);
}

/** Has a worker look for what is to be told. */
export function wakeDeliveries({ api }: Call): void {
  const { webhooks, now, log } = api.context;
  webhooks.soon(now()).catch((err) => log.warn({ err }, 'not woken; a regular look finds it'));
}
