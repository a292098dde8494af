import { isIP } from 'node:net';
import { type AllowPrivate, isAllowed } from './address.ts';

export const URL_LENGTH_MAX = 2_048;

/** What is wrong with the URL of a webhook; undefined: nothing that can be told without calling it. */
export function urlProblem(url: string, allow: AllowPrivate): string | undefined {
  if (url.length > URL_LENGTH_MAX) return `must have at most ${URL_LENGTH_MAX} characters`;
  if (!URL.canParse(url)) return 'must be a URL such as https://example.com/hooks';
  const { protocol, username, password, hash, hostname } = new URL(url);
  if (protocol !== 'https:' && (protocol !== 'http:' || allow === false)) return 'must begin with https://';
  if (username !== '' || password !== '') return 'must have no user name and no password; the signature says who calls';
  if (hash !== '') return 'must have no fragment';
  const literal = literalAddress(hostname);
  if (literal !== undefined && !isAllowed(literal, allow)) return `must name a public address, which ${literal} is not`;
  return undefined;
}

/** The IP address that a host is written as; undefined: it is a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}
