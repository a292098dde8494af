import { timingSafeEqual } from 'node:crypto';
import type { Queryable } from '../db/pool.ts';
import { GuerdonError } from '../errors.ts';
import { readKey } from '../keys.ts';
import type { Caller, RateLimit } from './call.ts';
import { type KeyUses, USE_MS } from './key-uses.ts';

interface StoredKey {
  hash: Buffer;
  projectId: string;
  caller: Caller;
  /** Epoch milliseconds from when on it is no longer taken. */
  expiresAt: number;
  /** Epoch milliseconds. */
  lastUsedAt: number;
}

export interface ApiKeysOptions {
  db: Queryable;
  now: () => number;
  uses: KeyUses;
  /** Of application keys that have no limit of their own; null: none. */
  limit: RateLimit | null;
}

/** So long a revoked key may still be taken. */
const FRESH_MS = 1_000;
const CACHED_MAX = 10_000;

const VALID = `from api_keys k join projects p on p.id = k.project_id
  where k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and p.archived_at is null`;

/** Reads one header or metadata value by its lower-case name. */
export type Headers = (name: string) => string | undefined;

/** Checks API keys; what is stored is a hash of the body, looked up by the prefix and compared in constant time. */
export class ApiKeys {
  readonly #db: Queryable;
  readonly #now: () => number;
  readonly #uses: KeyUses;
  readonly #limit: RateLimit | null;
  readonly #known = new Map<string, { readAt: number; key: StoredKey | undefined }>();

  constructor({ db, now, uses, limit }: ApiKeysOptions) {
    this.#db = db;
    this.#now = now;
    this.#uses = uses;
    this.#limit = limit;
  }

  /** Who calls, and in which project; UNAUTHENTICATED without a valid key. */
  async authenticate(headers: Headers): Promise<{ projectId: string; caller: Caller }> {
    const given = headers('x-api-key') ?? /^Bearer +(.+)$/i.exec(headers('authorization') ?? '')?.[1];
    if (given === undefined) {
      throw new GuerdonError(
        'UNAUTHENTICATED',
        'API_KEY_MISSING',
        'an API key is needed: send "x-api-key: prefix.body" or "authorization: Bearer prefix.body"',
      );
    }
    const asked = readKey(given.trim());
    const key = asked === undefined ? undefined : await this.#find(asked.prefix);
    const now = this.#now();
    if (asked === undefined || key === undefined || !timingSafeEqual(asked.hash, key.hash) || now >= key.expiresAt) {
      throw keyInvalid();
    }
    if (now - key.lastUsedAt >= USE_MS) {
      key.lastUsedAt = now;
      this.#uses.note(key.caller.keyId, now);
    }
    return key;
  }

  async #find(prefix: string): Promise<StoredKey | undefined> {
    const known = this.#known.get(prefix);
    if (known !== undefined && this.#now() - known.readAt < FRESH_MS) return known.key;
    const { rows } = await this.#db.query({
      name: 'api-key',
      text: `select k.id, k.hash, k.project_id, k.kind, k.user_id, k.expires_at, k.last_used_at, k.rate_requests,
          k.rate_seconds ${VALID} and k.prefix = $1`,
      values: [prefix],
    });
    const row = rows[0];
    const key: StoredKey | undefined = row && {
      hash: row.hash,
      projectId: row.project_id,
      caller: { keyId: row.id, prefix, kind: row.kind, user: row.user_id, limit: this.#limitOf(row) },
      expiresAt: row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY,
      lastUsedAt: row.last_used_at?.getTime() ?? Number.NEGATIVE_INFINITY,
    };
    if (this.#known.size >= CACHED_MAX) this.#known.clear();
    this.#known.set(prefix, { readAt: this.#now(), key });
    return key;
  }

  #limitOf(row: { kind: Caller['kind']; rate_requests: number | null; rate_seconds: number }): RateLimit | null {
    const { kind, rate_requests: requests, rate_seconds: seconds } = row;
    if (requests === null) return kind === 'application' ? this.#limit : null;
    return requests === 0 ? null : { requests, seconds };
  }
}

/** Those of the keys, by id, that still hold. */
export async function validKeys(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query({
    name: 'valid-keys',
    text: `select k.id ${VALID} and k.id = any($1::bigint[])`,
    values: [ids],
  });
  return new Set(rows.map((row) => row.id));
}

/** The same for a key that never was, that is revoked, or whose project is archived. */
export function keyInvalid(): GuerdonError {
  return new GuerdonError('UNAUTHENTICATED', 'API_KEY_INVALID', 'the API key is not known or no longer valid');
}
