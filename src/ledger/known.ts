import type { Queryable } from '../db/pool.ts';
import {
  type AttemptName,
  findPoisoned,
  findRefusals,
  findTransactions,
  findUserCommands,
  type TransactionName,
} from './commands.ts';
import { type CompletionName, findCompletions } from './completions.ts';
import { type EventName, findKnownEvents } from './events.ts';
import { findImports } from './imports.ts';

type Name =
  | ({ kind: 'event' } & EventName)
  | TransactionName
  | ({ kind: 'user' | 'import' } & AttemptName)
  | ({ kind: 'complete' } & CompletionName)
  | ({ kind: 'settle' } & AttemptName);

/**
 * The ids of those commands that already have an outcome: applied under the same key, refused or set aside as this very
 * attempt; an import has one when its user is known. Exact under the lane's lock, since every writer of a user's commands holds it.
 */
export async function findKnown(db: Queryable, commands: readonly Name[]): Promise<Set<string>> {
  const events = commands.filter((command) => command.kind === 'event');
  const known = new Set(await findKnownEvents(db, events));
  // What is due by the clock is settled as far as it is due, however often it is asked for.
  const others = commands.filter((command) => command.kind !== 'event' && command.kind !== 'settle');
  if (others.length > 0) {
    const transactions = others.filter(
      (command): command is TransactionName => command.kind === 'spend' || command.kind === 'adjust',
    );
    for (const id of (await findTransactions(db, transactions)).keys()) known.add(id);
    const users = others.filter((command) => command.kind === 'user');
    for (const id of (await findUserCommands(db, users)).keys()) known.add(id);
    const completions = others.filter((command) => command.kind === 'complete');
    for (const id of (await findCompletions(db, completions)).keys()) known.add(id);
    const imports = others.filter((command) => command.kind === 'import');
    for (const id of (await findImports(db, imports)).keys()) known.add(id);
    for (const id of (await findRefusals(db, others)).keys()) known.add(id);
    for (const id of await findPoisoned(db, others)) known.add(id);
  }
  return known;
}
