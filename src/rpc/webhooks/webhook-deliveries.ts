import { type DeliveryStatus, deliveriesOf, deliveryBy, resend } from '../../commands/webhooks/delivery-log.ts';
import { findWebhook } from '../../commands/webhooks/endpoints.ts';
import { GuerdonError } from '../../errors.ts';
import { WebhookService } from '../../gen/guerdon/v1/webhook_service_pb.ts';
import { type DeliveryName, readMessageId } from '../../webhooks/message-id.ts';
import { route } from '../call.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';
import { DELIVERY_STATUS, deliveryMessage, wakeDeliveries, webhookUnknown } from './webhook-message.ts';

const { method } = WebhookService;

export const listWebhookDeliveries = route(method.listWebhookDeliveries, 'admin', async (call, request) => {
  const { orm, pool } = call.api.context;
  const webhookId = request.webhookId.toLowerCase();
  if ((await findWebhook(orm, call.projectId, webhookId)) === null) throw webhookUnknown('webhook_id', webhookId);
  const statuses = Object.entries(DELIVERY_STATUS) as [DeliveryStatus, number][];
  const name = JSON.stringify(['deliveries', webhookId, request.status]);
  const size = pageSize(request.pageSize);
  const found = await deliveriesOf(pool, webhookId, {
    status: statuses.find(([, status]) => status === request.status)?.[0] ?? null,
    beforeEventId: pageCursor(name, request.pageToken, ID_CURSOR) ?? null,
    limit: size + 1,
  });
  const page = found.slice(0, size);
  return {
    deliveries: page.map(deliveryMessage),
    nextPageToken: found.length > size ? pageToken(name, page.at(-1)?.eventId ?? '') : '',
  };
});

export const resendWebhookDelivery = route(method.resendWebhookDelivery, 'admin', async (call, { id }) => {
  const { orm, pool } = call.api.context;
  const name = readMessageId(id) as DeliveryName;
  const done = await resend(orm, call.projectId, name, call.receivedAt);
  const delivery = done === 'queued' ? await deliveryBy(pool, name) : undefined;
  if (done === 'paused') {
    const message =
      'id: the webhook is paused; ResumeWebhook delivers what has gathered, and then this can be sent again';
    throw new GuerdonError('FAILED_PRECONDITION', 'WEBHOOK_PAUSED', message);
  }
  if (delivery === undefined) throw new GuerdonError('NOT_FOUND', 'DELIVERY_UNKNOWN', `id: no delivery ${id}`);
  wakeDeliveries(call);
  return { delivery: deliveryMessage(delivery) };
});
