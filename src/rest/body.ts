import type { IncomingMessage } from 'node:http';
import { GuerdonError } from '../errors.ts';
import { type Json, readJson, unreadable } from './json.ts';

const BODY_MAX_BYTES = 1024 * 1024;
/** What is read and thrown away of a body that nobody wants, for as long. */
const DISCARD_MAX_BYTES = 32 * 1024 * 1024;
const DISCARD_MAX_MS = 5_000;
/** A sender who sends nothing for so long is not waited for. */
const IDLE_MAX_MS = 60_000;

/** The JSON body of a request. */
export async function readBody(request: IncomingMessage): Promise<Json> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) break;
    chunks.push(chunk);
  }
  if (size > BODY_MAX_BYTES) throw tooLarge();
  return readJson(Buffer.concat(chunks));
}

/** The body of a request as it arrives, read no faster than it is taken. */
export async function* chunksOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const { done, value } = await nextOf(chunks);
    if (done) return;
    yield value as Buffer;
  }
}

async function nextOf(chunks: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<never>((_, reject) => {
    const stoodStill = () => reject(unreadable(`the body stood still for ${IDLE_MAX_MS / 1_000} s`));
    timer = setTimeout(stoodStill, IDLE_MAX_MS);
  });
  const broken = () => {
    throw unreadable('the body ended before it was whole');
  };
  try {
    return await Promise.race([chunks.next().catch(broken), idle]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads what is left of the body of a request that is to be answered, since who is still writing it when the connection
 * closes does not hear the answer. False: there is more than anybody waits for.
 */
export async function discardBody(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return true;
  return new Promise((resolve) => {
    let size = 0;
    const end = (whole: boolean) => {
      clearTimeout(timer);
      request.off('data', count);
      resolve(whole);
    };
    const count = (chunk: Buffer) => {
      size += chunk.length;
      if (size > DISCARD_MAX_BYTES) end(false);
    };
    const timer = setTimeout(() => end(false), DISCARD_MAX_MS);
    for (const event of ['end', 'close', 'error']) request.once(event, () => end(true));
    request.on('data', count).resume();
  });
}

function tooLarge(): GuerdonError {
  const message = `the body has more than ${BODY_MAX_BYTES} bytes; send fewer items at a time`;
  return new GuerdonError('OUT_OF_RANGE', 'BODY_TOO_LARGE', message);
}
