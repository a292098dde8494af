import type { Queryable } from '../db/pool.ts';
import { findPoisoned, findRefusals, findTransactions, type TransactionName } from './commands.ts';
import { type EventName, findKnownEvents } from './events.ts';

type Name = ({ kind: 'event' } & EventName) | TransactionName;

/**
 * The ids of those commands that already have an outcome: applied under the same key, refused or set aside as this very
 * attempt. Exact under the lane's lock, since every writer of a user's commands holds it.
 */
export async function findKnown(db: Queryable, commands: readonly Name[]): Promise<Set<string>> {
  const events = commands.filter((command) => command.kind === 'event');
  const known = new Set(await findKnownEvents(db, events));
  const transactions = commands.filter((command) => command.kind !== 'event');
  if (transactions.length > 0) {
    for (const id of (await findTransactions(db, transactions)).keys()) known.add(id);
    for (const id of (await findRefusals(db, transactions)).keys()) known.add(id);
    for (const id of await findPoisoned(db, transactions)) known.add(id);
  }
  return known;
}
