import { type LookupAddress, lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { type AllowPrivate, isAllowed } from './address.ts';
import { literalAddress } from './target.ts';

/** A receiver has so long to take the call and answer. */
const TIMEOUT_MS = 10_000;
/** So much of an answer is kept, and no more is read. */
const ANSWER_BYTES_MAX = 1_024;
const IDLE_MS = 15_000;

export type SendFailure =
  | 'STATUS'
  | 'REDIRECT'
  | 'TIMEOUT'
  | 'ADDRESS_REFUSED'
  | 'NAME_NOT_RESOLVED'
  | 'CONNECTION_REFUSED'
  | 'CONNECTION_LOST'
  | 'TLS_FAILED'
  | 'ANSWER_INVALID'
  | 'UNREACHABLE';

/** How one call went. */
export interface Sent {
  /** Null: it was taken, with a status of 2xx. */
  error: SendFailure | null;
  statusCode: number | null;
  /** How the body of the answer began, as text that can be stored. */
  answer: string;
  /** What the receiver says of when to call again; absent: nothing. */
  retryAfter?: string;
}

/** Finds all addresses of a name, as `dns.lookup` does. */
export type Resolve = (
  name: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const resolveAll: Resolve = (name, callback) => lookup(name, { all: true }, callback);

export interface SenderOptions {
  allowPrivate: AllowPrivate;
  timeoutMs?: number;
  resolve?: Resolve;
}

class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * Posts to receivers. The address that a name resolves to is judged where the connection is made to it, so that a name
 * that resolves to another address the next time is judged again. Redirects are not followed.
 */
export class Sender {
  readonly #allow: AllowPrivate;
  readonly #timeoutMs: number;
  readonly #agents: { 'http:': http.Agent; 'https:': https.Agent };

  constructor({ allowPrivate, timeoutMs = TIMEOUT_MS, resolve = resolveAll }: SenderOptions) {
    this.#allow = allowPrivate;
    this.#timeoutMs = timeoutMs;
    const options = { keepAlive: true, timeout: IDLE_MS, lookup: guarded(resolve, allowPrivate) };
    this.#agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  }

  /** Never rejects but by `signal`, which says that nobody wants to know any more. */
  async post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<Sent> {
    const target = new URL(url);
    const literal = literalAddress(target.hostname);
    if (literal !== undefined && !isAllowed(literal, this.#allow)) return failed('ADDRESS_REFUSED');
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    for (;;) {
      const request = this.#open(target, headers, body, AbortSignal.any([signal, timeout]));
      try {
        const { statusCode, ...answer } = await answerOf(request, body);
        return { error: failureOf(statusCode), statusCode, ...answer };
      } catch (error) {
        signal.throwIfAborted();
        if (timeout.aborted) return failed('TIMEOUT');
        // The receiver had closed a connection that was kept open; it has not seen the call.
        if (request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') continue;
        return failed(failureCode(error as NodeJS.ErrnoException));
      }
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #open(target: URL, headers: Record<string, string>, body: string, signal: AbortSignal): http.ClientRequest {
    const options = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Guerdon-Webhooks/1',
        ...headers,
      },
      signal,
    };
    return target.protocol === 'https:'
      ? https.request(target, { ...options, agent: this.#agents['https:'] })
      : http.request(target, { ...options, agent: this.#agents['http:'] });
  }
}

/** Gives only those addresses that may be called. */
function guarded(resolve: Resolve, allow: AllowPrivate): LookupFunction {
  return (name, { all }, callback) =>
    resolve(name, (error, addresses) => {
      const allowed = (addresses ?? []).filter(({ address }) => isAllowed(address, allow));
      const [first] = allowed;
      if (error !== null || first === undefined) callback(error ?? new AddressRefused(name), '', 0);
      else if (all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
}

/** Settles with the status as soon as enough is read; what happens to the body after the status changes nothing. */
function answerOf(
  request: http.ClientRequest,
  body: string,
): Promise<{ statusCode: number; answer: string; retryAfter?: string }> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      request.off('error', reject).on('error', () => {});
      const chunks: Buffer[] = [];
      let size = 0;
      const settle = (): void => {
        const whole = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX);
        // A character that the limit cuts in two is left out.
        const answer = new TextDecoder().decode(whole, { stream: true }).replaceAll('\0', '\uFFFD');
        const retryAfter = response.headers['retry-after'];
        resolve({
          statusCode: response.statusCode ?? 0,
          answer,
          ...(retryAfter !== undefined && { retryAfter }),
        });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= ANSWER_BYTES_MAX) response.destroy();
      });
      response.on('error', settle);
      response.on('close', settle);
    });
    request.end(body);
  });
}

function failed(error: SendFailure): Sent {
  return { error, statusCode: null, answer: '' };
}

function failureOf(statusCode: number): SendFailure | null {
  if (statusCode >= 200 && statusCode < 300) return null;
  return statusCode >= 300 && statusCode < 400 ? 'REDIRECT' : 'STATUS';
}

const CODES: Readonly<Record<string, SendFailure>> = {
  ADDRESS_REFUSED: 'ADDRESS_REFUSED',
  ENOTFOUND: 'NAME_NOT_RESOLVED',
  EAI_AGAIN: 'NAME_NOT_RESOLVED',
  ECONNREFUSED: 'CONNECTION_REFUSED',
  ECONNRESET: 'CONNECTION_LOST',
  EPIPE: 'CONNECTION_LOST',
};

function failureCode(error: NodeJS.ErrnoException): SendFailure {
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return 'ANSWER_INVALID';
  if (/^(ERR_(TLS|SSL)_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/.test(code)) return 'TLS_FAILED';
  return CODES[code] ?? 'UNREACHABLE';
}
