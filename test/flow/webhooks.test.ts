import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { WebhookDeliveryStatus } from '../../src/gen/guerdon/v1/webhook_service_pb.ts';
import { describeOnBackends } from '../support/backends.ts';
import { startGuerdon } from '../support/guerdon.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/wait.ts';

export const ALLOWED = { GUERDON_WEBHOOK_ALLOW_PRIVATE: '127.0.0.0/8' };

describeOnBackends('what happens', (kind) => {
  it('is told to a webhook, signed, once, and is in its log', async () => {
    const receiver = await startReceiver();
    const guerdon = await startGuerdon(kind, ALLOWED);
    const { created } = await guerdon.webhooks.createWebhooks({
      webhooks: [{ name: 'all', url: `${receiver.url}/hooks?a=b` }],
    });
    const { webhook, secret = '' } = created[0] ?? {};
    await guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: 'ada' }, value: '30' });
    const taken = await receiver.untilTaken(3);
    expect(taken.map(({ body }) => body.type).sort()).toEqual([
      'points.changed',
      'points.changed',
      'points.level_changed',
    ]);
    for (const { raw, headers, path } of taken) {
      expect(path).toBe('/hooks?a=b');
      expect(headers['x-trophy-signature']).toBe(createHmac('sha256', secret).update(raw).digest('base64'));
      expect(new StandardWebhook(secret).verify(raw, headers as Record<string, string>)).toEqual(JSON.parse(raw));
    }
    const log = async () => (await guerdon.webhooks.listWebhookDeliveries({ webhookId: webhook?.id ?? '' })).deliveries;
    const { DELIVERED } = WebhookDeliveryStatus;
    await until(async () => (await log()).every(({ status }) => status === DELIVERED), { what: 'the log' });
    expect((await log()).map(({ id }) => id).sort()).toEqual(taken.map(({ headers }) => headers['webhook-id']).sort());
    expect((await log())[0]).toMatchObject({ attempts: [{ statusCode: 200, error: '', answer: 'thank you' }] });
    await guerdon.close();
    await receiver.close();
  });
});
