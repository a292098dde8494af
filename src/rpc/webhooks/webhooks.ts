import {
  archiveWebhooks as archive,
  createWebhooks as create,
  findWebhook,
  listWebhooks as list,
  POINTS_INTERVAL,
  updateWebhooks as update,
  type WebhookFields,
} from '../../commands/webhooks/endpoints.ts';
import { pauseWebhook as pause, resumeWebhook as resume, rotateSecret } from '../../commands/webhooks/switch.ts';
import type { WebhookRecord } from '../../db/entities/webhook.ts';
import { type WebhookInput, WebhookService } from '../../gen/guerdon/v1/webhook_service_pb.ts';
import { authorOf, type Call, itemRoute, route } from '../call.ts';
import { inside, issueMessages, takeItems } from '../items.ts';
import { type MaskField, maskedFields } from '../mask.ts';
import { NO_UUID, pageCursor, pageSize, pageToken, UUID } from '../page.ts';
import { wakeDeliveries, webhookMessage, webhookUnknown } from './webhook-message.ts';

const { method } = WebhookService;

const FIELDS: Readonly<Record<string, MaskField<WebhookInput, Partial<WebhookFields>>>> = {
  name: { isPresent: ({ name }) => name !== undefined, read: ({ name }) => ({ name: name ?? '' }) },
  url: { isPresent: ({ url }) => url !== undefined, read: ({ url }) => ({ url: url ?? '' }) },
  event_types: {
    isPresent: ({ eventTypes }) => eventTypes.length > 0,
    read: ({ eventTypes }) => ({ eventTypes: [...eventTypes] }),
  },
  points_changed_interval: {
    isPresent: ({ pointsChangedInterval }) => pointsChangedInterval !== undefined,
    read: ({ pointsChangedInterval }) => ({ pointsInterval: pointsChangedInterval ?? POINTS_INTERVAL }),
  },
};

const UNSET: WebhookFields = { name: '', url: '', eventTypes: [], pointsInterval: POINTS_INTERVAL };

export const createWebhooks = itemRoute(method.createWebhooks, 'admin', 'webhooks', async (call, request) => {
  const { orm, config } = call.api.context;
  const { items, issues } = takeItems(call, request.webhooks);
  const drafts = items.map(({ index, value }) => {
    const { fields } = maskedFields(FIELDS, value, undefined);
    return { index, value: { ...UNSET, ...fields, id: value.id === '' ? null : value.id.toLowerCase() } };
  });
  const made = await create(orm, authorOf(call), drafts, config.webhookAllowPrivate);
  return {
    created: made.created.map((record) => ({ webhook: shown(call, record), secret: record.secret })),
    issues: issueMessages([...issues.all, ...made.issues]),
  };
});

export const updateWebhooks = itemRoute(method.updateWebhooks, 'admin', 'updates', async (call, request) => {
  const { orm, config } = call.api.context;
  const { items, issues } = takeItems(call, request.updates);
  const patches = items.flatMap(({ index, value }) => {
    const webhook = value.webhook as WebhookInput;
    const { fields, problems } = maskedFields(FIELDS, webhook, value.updateMask);
    if (webhook.id === '') problems.push({ field: 'webhook.id', message: 'must name the webhook' });
    return issues.errors(index, problems) ? [] : [{ index, value: { id: webhook.id.toLowerCase(), fields } }];
  });
  const done = await update(orm, authorOf(call), patches, config.webhookAllowPrivate);
  wakeDeliveries(call);
  return {
    updated: done.updated.map((record) => shown(call, record)),
    issues: issueMessages([...issues.all, ...inside('webhook', done.issues)]),
  };
});

export const archiveWebhooks = itemRoute(method.archiveWebhooks, 'admin', 'ids', async (call, request) => {
  const { items, issues } = takeItems(call, request.ids);
  const ids = items.map(({ index, value }) => ({ index, value: value.toLowerCase() }));
  const done = await archive(call.api.context.orm, authorOf(call), ids);
  return { archived: done.archived, issues: issueMessages([...issues.all, ...done.issues]) };
});

export const listWebhooks = route(method.listWebhooks, 'admin', async (call, request) => {
  const name = JSON.stringify(['webhooks', request.includeArchived]);
  const size = pageSize(request.pageSize);
  const found = await list(call.api.context.orm, call.projectId, {
    archived: request.includeArchived,
    afterId: pageCursor(name, request.pageToken, UUID) ?? NO_UUID,
    limit: size + 1,
  });
  const page = found.slice(0, size);
  return {
    webhooks: page.map((record) => shown(call, record)),
    nextPageToken: found.length > size ? pageToken(name, page.at(-1)?.id ?? '') : '',
  };
});

export const getWebhook = route(method.getWebhook, 'admin', async (call, { id }) => {
  return { webhook: found(call, id, await findWebhook(call.api.context.orm, call.projectId, id.toLowerCase())) };
});

export const pauseWebhook = route(method.pauseWebhook, 'admin', async (call, { id }) => {
  return { webhook: found(call, id, await pause(call.api.context.orm, authorOf(call), id.toLowerCase())) };
});

export const resumeWebhook = route(method.resumeWebhook, 'admin', async (call, { id }) => {
  const record = await resume(call.api.context.orm, authorOf(call), id.toLowerCase());
  wakeDeliveries(call);
  return { webhook: found(call, id, record) };
});

export const rotateWebhookSecret = route(method.rotateWebhookSecret, 'admin', async (call, { id, atOnce }) => {
  const record = await rotateSecret(call.api.context.orm, authorOf(call), id.toLowerCase(), { atOnce });
  return { webhook: found(call, id, record), secret: record?.secret ?? '' };
});

function found(call: Call, id: string, record: WebhookRecord | null) {
  if (record === null) throw webhookUnknown('id', id);
  return shown(call, record);
}

function shown(call: Call, record: WebhookRecord) {
  return webhookMessage(record, call.receivedAt);
}
