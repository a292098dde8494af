import type { Queryable } from '../db/pool.ts';
import type { Fired } from '../rules/types.ts';
import { entriesInOrder } from './chains.ts';
import { entryHash } from './hash.ts';
import type { EntryRow, ImportRow } from './rows.ts';
import type { Fault } from './verify.ts';

/** What entries must show: awards that were decided, and what was imported; by system and version. */
export type Expected = Map<
  string,
  Pick<EntryRow, 'amount' | 'balanceAfter' | 'eventId' | 'commandId' | 'triggerId' | 'earned'>
>;

export function expectAwards(
  expected: Expected,
  fired: readonly Fired[],
  cause: { eventId: string | null; commandId: string | null },
): void {
  for (const one of fired) {
    if (one.version !== null) expected.set(`${one.systemId} ${one.version}`, { ...one, ...cause });
  }
}

export function expectImport(expected: Expected, row: ImportRow): void {
  for (const { systemId, balance, earned } of row.content.balances) {
    const amounts = { amount: BigInt(balance), balanceAfter: BigInt(balance), earned: BigInt(earned) };
    expected.set(`${systemId} 1`, { ...amounts, eventId: null, commandId: row.id, triggerId: null });
  }
}

/** Follows the entries of a user's accounts; takes from `expected` what they show. */
export async function accountsFault(
  db: Queryable,
  userId: string,
  expected: Expected,
  counts: { entries: number },
): Promise<Fault | undefined> {
  const { rows: accounts } = await db.query(
    'select system_id, balance, earned, version, hash from accounts where user_id = $1 order by system_id',
    [userId],
  );
  for (const account of accounts) {
    const sum = { balance: 0n, earned: 0n, version: 0n };
    let hash: Buffer | null = null;
    for await (const entry of entriesInOrder(db, userId, account.system_id)) {
      const row = `entries (${userId}, ${entry.systemId}, ${entry.version})`;
      const fault = entryFault(entry, sum, hash, expected);
      if (fault !== undefined) return { row, fault };
      sum.version = entry.version;
      sum.balance = entry.balanceAfter;
      sum.earned += entry.earned ?? (entry.amount > 0n ? entry.amount : 0n);
      hash = entry.hash;
      counts.entries += 1;
    }
    const row = `accounts (${userId}, ${account.system_id})`;
    for (const field of ['version', 'balance', 'earned'] as const) {
      if (BigInt(account[field]) !== sum[field]) {
        return { row, fault: `${field} is ${account[field]}, its entries give ${sum[field]}` };
      }
    }
    if (!same(hash, account.hash)) return { row, fault: 'hash is not that of its last entry' };
  }
  const [missing] = expected.keys();
  if (missing === undefined) return undefined;
  return {
    row: `entries (${userId}, ${missing.replace(' ', ', ')})`,
    fault: 'its cause asks for it, but it is missing',
  };
}

function entryFault(
  entry: EntryRow,
  sum: { balance: bigint; version: bigint },
  hashBefore: Buffer | null,
  expected: Expected,
): string | undefined {
  if (entry.version !== sum.version + 1n) return `version is ${entry.version}, it must be ${sum.version + 1n}`;
  if (entry.balanceAfter !== sum.balance + entry.amount) {
    return `balance after is ${entry.balanceAfter}; ${entry.amount} on ${sum.balance} is ${sum.balance + entry.amount}`;
  }
  if (!same(entryHash(hashBefore, entry), entry.hash)) return 'hash does not match its content';
  if (entry.kind !== 'award' && entry.kind !== 'import') return undefined;
  const key = `${entry.systemId} ${entry.version}`;
  const asked = expected.get(key);
  expected.delete(key);
  if (asked === undefined) return entry.kind === 'award' ? 'no event decided it' : 'its user was not imported with it';
  const asAsked =
    asked.amount === entry.amount &&
    asked.balanceAfter === entry.balanceAfter &&
    asked.earned === entry.earned &&
    asked.eventId === entry.eventId &&
    asked.commandId === entry.commandId &&
    asked.triggerId === entry.triggerId;
  return asAsked ? undefined : 'its cause asks for another';
}

/** Two hashes, or the lack of both. */
export function same(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
