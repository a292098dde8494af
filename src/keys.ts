import { hash, randomBytes } from 'node:crypto';

/** An API key `prefix.body`: the prefix finds it, the body proves it. */
export const KEY_FORM = /^([a-zA-Z0-9_-]{1,32})\.([a-zA-Z0-9_-]{16,128})$/;

/** A new key; 32 random bytes make its body impossible to guess. */
export function newKey(): string {
  return `gk_${randomBytes(6).toString('hex')}.${randomBytes(32).toString('base64url')}`;
}

/** A key as it is stored and compared, or undefined when it has not the form of one. */
export function readKey(key: string): { prefix: string; hash: Buffer } | undefined {
  const [, prefix, body] = KEY_FORM.exec(key) ?? [];
  return prefix === undefined || body === undefined ? undefined : { prefix, hash: hashBody(body) };
}

/** The body is random, so a fast hash keeps it as safe as a slow one would. */
function hashBody(body: string): Buffer {
  return hash('sha256', body, 'buffer');
}
