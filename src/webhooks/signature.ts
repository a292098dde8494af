import { createHmac, randomBytes } from 'node:crypto';
import type { Instant } from '../rules/types.ts';

const PREFIX = 'whsec_';

/** How long the secret before is still signed with after a rotation. */
export const OVERLAP_MS = 24 * 3_600_000;

/** `whsec_` and 32 random bytes in base64. */
export function newSecret(): string {
  return `${PREFIX}${randomBytes(32).toString('base64')}`;
}

export interface Signed {
  /** The same at every attempt. */
  id: string;
  /** Of this attempt. */
  at: Instant;
  /** As it is sent. */
  body: string;
}

/** The secret that signs, and the one before it while both do. */
export interface Secrets {
  secret: string;
  previous: string | null;
}

/**
 * The headers that let a receiver see who calls: those of Standard Webhooks, which cover id and time so that a captured
 * call cannot be sent again later, and the one of the contract, which covers the body alone. There is room for one
 * signature in the latter: while two secrets hold it is the one that the receiver has known for longer.
 */
export function signatureHeaders({ id, at, body }: Signed, { secret, previous }: Secrets): Record<string, string> {
  const timestamp = Math.floor(at / 1_000).toString();
  const secrets = previous === null ? [secret] : [secret, previous];
  const standard = secrets.map((one) => `v1,${hmac(keyOf(one), `${id}.${timestamp}.${body}`)}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': standard.join(' '),
    'x-trophy-signature': hmac(previous ?? secret, body),
  };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64');
}

function hmac(key: string | Buffer, content: string): string {
  return createHmac('sha256', key).update(content).digest('base64');
}
