import type { IncomingMessage } from 'node:http';
import { GuerdonError } from '../errors.ts';
import { type Json, readJson, unreadable } from './json.ts';

const BODY_MAX_BYTES = 1024 * 1024;

/** The JSON body of a request. */
export async function readBody(request: IncomingMessage): Promise<Json> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    throw unreadable('the body ended before it was whole');
  }
  if (size > BODY_MAX_BYTES) throw tooLarge();
  return readJson(Buffer.concat(chunks));
}

function tooLarge(): GuerdonError {
  const message = `the body has more than ${BODY_MAX_BYTES} bytes; send fewer items at a time`;
  return new GuerdonError('OUT_OF_RANGE', 'BODY_TOO_LARGE', message);
}
