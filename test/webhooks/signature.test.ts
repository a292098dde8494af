import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { messageId, readMessageId } from '../../src/webhooks/message-id.ts';
import { newSecret, signatureHeaders } from '../../src/webhooks/signature.ts';

const body = JSON.stringify({ type: 'points.changed', name: 'Zoë 🎉' });
const contract = (secret: string) => createHmac('sha256', secret).update(body).digest('base64');

it('is what the contract and Standard Webhooks say', () => {
  const secret = newSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const headers = signatureHeaders({ id: 'msg_1', at: Date.now(), body }, { secret, previous: null });
  expect(headers['x-trophy-signature']).toBe(contract(secret));
  expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow();
  expect(() => new Webhook(secret).verify(body.replace('Zoë', 'Zoe'), headers)).toThrow();
});

it('is made with a known secret, id, time and body as computed elsewhere', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const at = 1_614_265_330_500;
  const headers = signatureHeaders(
    { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at, body: '{"test": 2432232314}' },
    {
      secret,
      previous: null,
    },
  );
  expect(headers['webhook-timestamp']).toBe('1614265330');
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it('cannot be sent again later, nor with another time', () => {
  const secret = newSecret();
  const old = signatureHeaders({ id: 'msg_1', at: Date.now() - 600_000, body }, { secret, previous: null });
  expect(() => new Webhook(secret).verify(body, old)).toThrow(/too old/);
  const renewed = { ...old, 'webhook-timestamp': Math.floor(Date.now() / 1_000).toString() };
  expect(() => new Webhook(secret).verify(body, renewed)).toThrow(/signature/i);
});

it('is made with both secrets while both hold, that of the contract with the one before', () => {
  const [secret, previous] = [newSecret(), newSecret()];
  const headers = signatureHeaders({ id: 'msg_1', at: Date.now(), body }, { secret, previous });
  for (const one of [secret, previous]) expect(new Webhook(one).verify(body, headers)).toEqual(JSON.parse(body));
  expect(headers['x-trophy-signature']).toBe(contract(previous));
});

it('names a delivery so that it can be found again', () => {
  const name = { webhookId: '01900000-0000-7000-8000-00000000abcd', eventId: '42' };
  expect(messageId(name)).toBe('msg_0190000000007000800000000000abcd_42');
  expect(readMessageId(messageId(name))).toEqual(name);
  expect(readMessageId('msg_1')).toBeUndefined();
});
