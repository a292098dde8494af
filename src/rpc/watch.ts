import type { Queryable } from '../db/pool.ts';
import { GuerdonError, goneError } from '../errors.ts';
import { versionsOf } from '../ledger/summary.ts';

/** So often it is looked whether a watched account has changed. */
const LOOK_MS = 200;
/** Calls that may watch in one process at once. */
const WATCHERS_MAX = 10_000;

interface Watcher {
  userId: string;
  systemId: string;
  seen: bigint;
  settle(error?: Error): void;
}

/**
 * Tells calls of this process when accounts have changed, by looking at all that are watched with one statement: so it
 * makes no difference which process changed them, and one who does not watch costs nothing. A watcher holds no more than the
 * version it has seen; what it has to tell it reads by itself, as fast as its caller takes it.
 */
export class Watch {
  readonly #db: Queryable;
  readonly #onError: (error: Error) => void;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(db: Queryable, onError: (error: Error) => void) {
    this.#db = db;
    this.#onError = onError;
  }

  /** Settles once the account has a later version than `seen`; rejects when the caller goes or the server stops. */
  changed(account: { userId: string; systemId: string; seen: bigint }, signal: AbortSignal): Promise<void> {
    if (this.#closed) return Promise.reject(stopping());
    if (signal.aborted) return Promise.reject(goneError());
    if (this.#watchers.size >= WATCHERS_MAX) {
      return Promise.reject(new GuerdonError('RESOURCE_EXHAUSTED', 'TOO_MANY_CALLS', 'too many calls watch here'));
    }
    return new Promise((resolve, reject) => {
      const leave = () => watcher.settle(goneError());
      const watcher: Watcher = {
        ...account,
        settle: (error) => {
          signal.removeEventListener('abort', leave);
          this.#remove(watcher);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal.addEventListener('abort', leave);
      this.#watchers.add(watcher);
      this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
    });
  }

  /** Throws when the caller has gone or the server stops. */
  mustBeOpen(signal: AbortSignal): void {
    if (this.#closed) throw stopping();
    if (signal.aborted) throw goneError();
  }

  /** Ends all watching. */
  close(): void {
    this.#closed = true;
    for (const watcher of [...this.#watchers]) watcher.settle(stopping());
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const versions = await versionsOf(this.#db, [...this.#watchers]);
      for (const watcher of [...this.#watchers]) {
        const version = versions.get(`${watcher.userId} ${watcher.systemId}`);
        if (version !== undefined && version > watcher.seen) watcher.settle();
      }
    } catch (error) {
      this.#onError(error as Error);
    } finally {
      this.#looking = false;
    }
  }
}

function stopping(): GuerdonError {
  return new GuerdonError('UNAVAILABLE', 'SHUTTING_DOWN', 'the server is stopping; call again');
}
