import type { Context } from '../context.ts';
import { GuerdonError } from '../errors.ts';
import { keyInvalid, validKeys } from './auth.ts';

/** So often it is looked whether the keys of the calls still hold. */
const CHECK_MS = 2_000;
/** Calls that may go on answering in one process at once. */
const STREAMS_MAX = 10_000;

/**
 * The calls of this process that go on answering. What ends one from here, and how its caller is told, is the abort of its
 * `stop` with the error as the reason: a key that is revoked or whose project is archived, a server that stops.
 */
export class OpenStreams {
  readonly #context: Pick<Context, 'pool' | 'log'>;
  readonly #keys = new Map<AbortController, string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(context: Pick<Context, 'pool' | 'log'>) {
    this.#context = context;
  }

  /** Counts a call in until it leaves by what is returned, or is stopped by whomever. */
  enter(keyId: string, stop: AbortController): () => void {
    if (this.#closed) throw stopping();
    if (this.#keys.size >= STREAMS_MAX) {
      throw new GuerdonError('RESOURCE_EXHAUSTED', 'TOO_MANY_CALLS', 'too many calls watch here');
    }
    stop.signal.throwIfAborted();
    const leave = () => {
      stop.signal.removeEventListener('abort', leave);
      this.#keys.delete(stop);
      if (this.#keys.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    stop.signal.addEventListener('abort', leave);
    this.#keys.set(stop, keyId);
    this.#timer ??= setInterval(() => void this.#check(), CHECK_MS);
    return leave;
  }

  /** Ends all of them. */
  close(): void {
    this.#closed = true;
    for (const stop of [...this.#keys.keys()]) stop.abort(stopping());
  }

  async #check(): Promise<void> {
    const { pool, log } = this.#context;
    try {
      const asked = new Map(this.#keys);
      const valid = await validKeys(pool, [...new Set(asked.values())]);
      for (const [stop, keyId] of asked) if (!valid.has(keyId)) stop.abort(keyInvalid());
    } catch (err) {
      log.warn({ err }, 'keys of open streams not checked');
    }
  }
}

/** Why a stream ends whose caller has left. */
export function callerGone(): GuerdonError {
  return new GuerdonError('CANCELLED', 'CALL_CANCELLED', 'the caller has gone');
}

function stopping(): GuerdonError {
  return new GuerdonError('UNAVAILABLE', 'SHUTTING_DOWN', 'the server is stopping; call again');
}
