import { parseDecimal } from '../rules/decimal.ts';
import type { Counter } from '../rules/types.ts';
import { importHash } from './hash.ts';
import type { ImportRow } from './rows.ts';

/** What the chains of a user begin with, by metric and by trigger: nothing, or what the user was imported with. */
export function openingOf(row: ImportRow | undefined): {
  totals: Map<string, Counter>;
  counters: Map<string, Counter>;
} {
  const { totals = [], counters = [] } = row?.content ?? {};
  return {
    totals: new Map(totals.map((item) => [item.metricId, counter(item)])),
    counters: new Map(counters.map((item) => [item.triggerId, counter(item)])),
  };
}

function counter({ total, high }: { total: string; high: string }): Counter {
  return { total: parseDecimal(total), high: parseDecimal(high) };
}

/** What is wrong with an import and its user, who was created at `createdAt`. */
export function importFault(row: ImportRow, createdAt: Date | null): string | undefined {
  if (!importHash(row).equals(row.hash)) return 'hash does not match its content';
  const told = row.content.createdAt ?? row.receivedAt;
  return createdAt?.getTime() === told ? undefined : 'its user was created at another instant';
}
