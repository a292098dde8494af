import { instantText, type Queryable } from '../db/pool.ts';

/** A use is not written when one was within so long before it. */
export const USE_MS = 60_000;

/**
 * Writes when API keys were last used, behind the backs of the calls: one statement at a time, which waits for nobody.
 * What cannot be written is let go; the key's next use is written instead.
 */
export class KeyUses {
  readonly #db: Queryable;
  readonly #onError: (error: Error) => void;
  readonly #pending = new Map<string, number>();
  #writing: Promise<void> | undefined;

  constructor(db: Queryable, onError: (error: Error) => void) {
    this.#db = db;
    this.#onError = onError;
  }

  note(keyId: string, at: number): void {
    this.#pending.set(keyId, at);
    this.#writing ??= this.#write();
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#pending.size > 0) {
      const uses = [...this.#pending];
      this.#pending.clear();
      await this.#db
        .query({
          name: 'key-uses',
          text: `with free as (
              select k.id, u.at from unnest($1::bigint[], $2::timestamptz[]) as u (id, at) join api_keys k using (id)
              where k.last_used_at is null or k.last_used_at <= u.at - $3 * interval '1 millisecond'
              for no key update of k skip locked
            )
            update api_keys k set last_used_at = free.at from free where k.id = free.id`,
          values: [uses.map(([id]) => id), uses.map(([, at]) => instantText(at)), USE_MS],
        })
        .catch((error: Error) => this.#onError(error));
    }
    this.#writing = undefined;
  }
}
