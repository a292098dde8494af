import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';

/** So long the log of deliveries that are over is kept. */
const KEEP_MS = 30 * 24 * 3_600_000;
/** Rows that one statement removes. */
const ROWS_MAX = 1_000;

const OF_ARCHIVED = 'webhook_id in (select id from webhooks where archived_at is not null)';

/** Removes what nobody asks for any more: old deliveries with their attempts, and what archived webhooks were yet to be told. */
export async function pruneDeliveries(db: Queryable, now: Instant): Promise<void> {
  const old = [instantText(now - KEEP_MS)];
  await prune(db, 'webhook_queues', OF_ARCHIVED, []);
  await prune(db, 'webhook_holds', OF_ARCHIVED, []);
  await prune(db, 'webhook_deliveries', `status = 'pending' and ${OF_ARCHIVED}`, []);
  await prune(db, 'webhook_deliveries', 'finished_at < $1::timestamptz', old);
}

async function prune(db: Queryable, table: string, which: string, values: unknown[]): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `delete from ${table} where ctid = any(array(
        select ctid from ${table} where ${which} limit ${ROWS_MAX} for update skip locked))`,
      values,
    );
    if ((rowCount ?? 0) < ROWS_MAX) return;
  }
}
