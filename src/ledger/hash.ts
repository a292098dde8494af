import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { EntryRow, EventRow, ImportRow } from './rows.ts';

/** Names the encodings below; a row says which one its hash was made with. */
export const HASH_VERSION = 1;

/**
 * The hash of an event over the one before it in the user's chain: SHA-256 of the RFC 8785 form of the list below,
 * with instants in milliseconds, decimals in their shortest form, and bytes in hexadecimal.
 */
export function eventHash(previous: Buffer | null, event: Omit<EventRow, 'hash'>): Buffer {
  return digest([
    HASH_VERSION,
    previous?.toString('hex') ?? '',
    event.userId,
    event.id,
    event.seq.toString(),
    event.metricId,
    event.keyed,
    event.key,
    event.value,
    event.attributes,
    event.occurredAt,
    event.occurredAtSent,
    event.receivedAt,
    event.createdAt,
    event.totalBefore,
    event.totalAfter,
    event.highBefore,
    event.highAfter,
    event.programVersion,
    event.decision,
  ]);
}

/** The hash of an entry over the one before it in its account, encoded as an event's; that of an import ends with `earned`. */
export function entryHash(previous: Buffer | null, entry: Omit<EntryRow, 'hash'>): Buffer {
  return digest([
    HASH_VERSION,
    previous?.toString('hex') ?? '',
    entry.userId,
    entry.systemId,
    entry.version.toString(),
    entry.kind,
    entry.amount.toString(),
    entry.balanceAfter.toString(),
    entry.causeKey,
    entry.eventId,
    entry.triggerId,
    entry.commandId,
    entry.occurredAt,
    entry.createdAt,
    ...(entry.earned === undefined ? [] : [entry.earned.toString()]),
  ]);
}

/** The hash of what a user was imported with, encoded as an event's. */
export function importHash(row: Omit<ImportRow, 'hash'>): Buffer {
  return digest([HASH_VERSION, row.userId, row.id, row.content, row.receivedAt, row.createdAt, row.programVersion]);
}

function digest(content: unknown[]): Buffer {
  return hash('sha256', canonical(content), 'buffer');
}

/** The RFC 8785 form of a JSON value: one text for one content. Of plain values JSON.stringify writes that form, and sooner. */
export function canonical(content: unknown): string {
  if (Array.isArray(content)) return `[${content.map(canonical).join(',')}]`;
  return typeof content === 'object' && content !== null ? (canonicalize(content) as string) : JSON.stringify(content);
}
