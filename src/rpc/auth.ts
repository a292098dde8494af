import { timingSafeEqual } from 'node:crypto';
import type { Queryable } from '../db/pool.ts';
import { GuerdonError } from '../errors.ts';
import { readKey } from '../keys.ts';
import type { Caller } from './call.ts';

interface StoredKey {
  hash: Buffer;
  projectId: string;
  caller: Caller;
}

/** So long a revoked key may still be taken. */
const FRESH_MS = 1_000;
const CACHED_MAX = 10_000;

const VALID = `from api_keys k join projects p on p.id = k.project_id
  where k.revoked_at is null and p.archived_at is null`;

/** Reads one header or metadata value by its lower-case name. */
export type Headers = (name: string) => string | undefined;

/** Checks API keys; what is stored is a hash of the body, looked up by the prefix and compared in constant time. */
export class ApiKeys {
  readonly #db: Queryable;
  readonly #now: () => number;
  readonly #known = new Map<string, { readAt: number; key: StoredKey | undefined }>();

  constructor(db: Queryable, now: () => number) {
    this.#db = db;
    this.#now = now;
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
    if (asked === undefined || key === undefined || !timingSafeEqual(asked.hash, key.hash)) {
      throw keyInvalid();
    }
    return key;
  }

  async #find(prefix: string): Promise<StoredKey | undefined> {
    const known = this.#known.get(prefix);
    if (known !== undefined && this.#now() - known.readAt < FRESH_MS) return known.key;
    const { rows } = await this.#db.query({
      name: 'api-key',
      text: `select k.id, k.hash, k.project_id, k.kind, k.user_id ${VALID} and k.prefix = $1`,
      values: [prefix],
    });
    const row = rows[0];
    const key: StoredKey | undefined = row && {
      hash: row.hash,
      projectId: row.project_id,
      caller: { keyId: row.id, prefix, kind: row.kind, user: row.user_id },
    };
    if (this.#known.size >= CACHED_MAX) this.#known.clear();
    this.#known.set(prefix, { readAt: this.#now(), key });
    return key;
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
