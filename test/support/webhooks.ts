import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WebhookDelivery, WebhookInputSchema } from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import type { Clients } from './guerdon.ts';

/** Lets receivers of a test be called. */
export const ALLOWED = { GUERDON_WEBHOOK_ALLOW_PRIVATE: '127.0.0.0/8' };

/** A clock that a test puts forward. */
export interface Clock {
  now(): number;
  pass(ms: number): void;
}

export function testClock(): Clock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    pass: (ms) => {
      ahead += ms;
    },
  };
}

export interface MadeWebhook {
  id: string;
  secret: string;
}

/** A webhook that is told each change of points by itself. */
export async function addWebhook(
  { webhooks }: Pick<Clients, 'webhooks'>,
  input: MessageInitShape<typeof WebhookInputSchema>,
): Promise<MadeWebhook> {
  const { created, issues } = await webhooks.createWebhooks({
    webhooks: [{ name: 'hook', pointsChangedInterval: 0, ...input }],
  });
  if (created[0] === undefined) throw new Error(`no webhook was made: ${issues[0]?.message}`);
  return { id: created[0].webhook?.id ?? '', secret: created[0].secret };
}

/** All deliveries of a webhook that are still known, the latest event first. */
export async function deliveriesOf(
  { webhooks }: Pick<Clients, 'webhooks'>,
  webhookId: string,
): Promise<WebhookDelivery[]> {
  const all: WebhookDelivery[] = [];
  for (let pageToken = '', pages = 0; pages === 0 || pageToken !== ''; pages += 1) {
    const page = await webhooks.listWebhookDeliveries({ webhookId, pageSize: 500, pageToken });
    all.push(...page.deliveries);
    pageToken = page.nextPageToken;
  }
  return all;
}

/** Numbers from 0 to 1 that are the same at every run. */
export function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
