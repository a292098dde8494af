/** What names a delivery to the outside: unique among all deployments, and without the point that signatures use. */
export interface DeliveryName {
  /** A UUID. */
  webhookId: string;
  /** A decimal number. */
  eventId: string;
}

/** `msg_`, the webhook's id without dashes, `_`, and the event's. */
export function messageId({ webhookId, eventId }: DeliveryName): string {
  return `msg_${webhookId.replaceAll('-', '')}_${eventId}`;
}

const FORM = /^msg_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([0-9]{1,18})$/;

/** Undefined: it is not of our making. */
export function readMessageId(id: string): DeliveryName | undefined {
  const [, ...parts] = FORM.exec(id) ?? [];
  const eventId = parts.pop();
  return eventId === undefined ? undefined : { webhookId: parts.join('-'), eventId };
}
