import { hashKeyBody } from '../rpc/auth.ts';

/** Letters and digits of a key's two halves; 32 random bytes make the body impossible to guess. */
export function newKey(randomBytes: (size: number) => Buffer): string {
  return `gk_${randomBytes(6).toString('hex')}.${randomBytes(32).toString('base64url')}`;
}

/** A key as it is stored: its prefix in clear, its body as a hash. */
export function storedKey(key: string): { prefix: string; hash: Buffer } {
  const [prefix, body] = key.split('.') as [string, string];
  return { prefix, hash: hashKeyBody(body) };
}
