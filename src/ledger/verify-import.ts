import type { Queryable } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Counter } from '../rules/types.ts';
import { importHash } from './hash.ts';
import { importOf } from './imports.ts';
import type { ImportRow } from './rows.ts';

/** What the chains of a user begin with: nothing, or what the user was imported with. */
export interface Opening {
  row: ImportRow | undefined;
  /** By metric. */
  totals: Map<string, Counter>;
  /** By trigger. */
  counters: Map<string, Counter>;
}

/** Reads it; gives what is wrong with its row too. */
export async function openingOf(
  db: Queryable,
  userId: string,
): Promise<{ opening: Opening; fault: string | undefined }> {
  const row = await importOf(db, userId);
  const { totals = [], counters = [] } = row?.content ?? {};
  const counter = ({ total, high }: { total: string; high: string }) => ({
    total: parseDecimal(total),
    high: parseDecimal(high),
  });
  const opening = {
    row,
    totals: new Map(totals.map((item) => [item.metricId, counter(item)])),
    counters: new Map(counters.map((item) => [item.triggerId, counter(item)])),
  };
  return { opening, fault: row === undefined ? undefined : await faultOf(db, row) };
}

async function faultOf(db: Queryable, row: ImportRow): Promise<string | undefined> {
  if (!importHash(row).equals(row.hash)) return 'hash does not match its content';
  const { rows } = await db.query('select created_at from users where id = $1', [row.userId]);
  const createdAt = row.content.createdAt ?? row.receivedAt;
  return rows[0].created_at?.getTime() === createdAt ? undefined : 'its user was created at another instant';
}
