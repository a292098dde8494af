import { instantText } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import { admit, type Hold, type PointsChange } from '../../webhooks/hold.ts';
import type { Em } from '../next-program.ts';
import type { Delivery } from './deliveries.ts';

interface HoldRow {
  webhook_id: string;
  user_id: string;
  system_id: string;
  until: string;
  event_id: string | null;
  payload: PointsChange | null;
  created_at: string | null;
}

const COLUMNS = `h.webhook_id, h.user_id::text, h.system_id::text, h.event_id::text, h.payload,
  (extract(epoch from h.until) * 1000)::bigint::text as until,
  (extract(epoch from h.created_at) * 1000)::bigint::text as created_at`;

/** A change of points that is for a webhook which is told of them at intervals. */
export interface LimitedDelivery extends Delivery {
  intervalMs: number;
}

/** What of these changes is told at once; the rest is held, and told together with what comes until then. */
export async function holdBack(em: Em, changes: readonly LimitedDelivery[], now: Instant): Promise<Delivery[]> {
  if (changes.length === 0) return [];
  const told: Delivery[] = [];
  const holds = await readHolds(em, changes);
  for (const change of changes) {
    const key = keyOf(change.webhookId, change.userId, systemOf(change));
    const { eventId, createdAt, intervalMs } = change;
    const payload = change.payload as unknown as PointsChange;
    const admitted = admit(holds.get(key), { eventId, payload, createdAt }, { now, intervalMs });
    holds.set(key, admitted.hold);
    if (admitted.told !== null) told.push(deliveryOf(change.webhookId, change.userId, admitted.told));
  }
  await writeHolds(em, holds);
  return told;
}

/**
 * What was held until now; the next interval begins. Holds with nothing in them are over, and go. Gives how many holds
 * there were, and what is to be told.
 */
export async function releaseHolds(
  em: Em,
  now: Instant,
  limit: number,
): Promise<{ count: number; deliveries: Delivery[] }> {
  const rows: (HoldRow & { points_interval: number; archived: boolean })[] = await em.execute(
    `select ${COLUMNS}, w.points_interval, w.archived_at is not null as archived
    from webhook_holds h join webhooks w on w.id = h.webhook_id
    where h.until <= ?::timestamptz order by h.until limit ?`,
    [instantText(now), limit],
  );
  const holds = new Map<string, Hold | null>();
  const deliveries: Delivery[] = [];
  for (const row of rows) {
    const held = row.archived ? null : readHold(row).held;
    if (held !== null) deliveries.push(deliveryOf(row.webhook_id, row.user_id, held));
    const until = now + row.points_interval * 1_000;
    holds.set(keyOf(row.webhook_id, row.user_id, row.system_id), held === null ? null : { until, held: null });
  }
  await writeHolds(em, holds);
  return { count: rows.length, deliveries };
}

async function readHolds(em: Em, changes: readonly Delivery[]): Promise<Map<string, Hold>> {
  const wanted = changes.map((change) => [change.webhookId, change.userId, systemOf(change)]);
  const rows: HoldRow[] = await em.execute(
    `select distinct ${COLUMNS} from jsonb_array_elements(?::jsonb) asked
    join webhook_holds h on h.webhook_id = (asked->>0)::uuid and h.user_id = (asked->>1)::bigint
      and h.system_id = (asked->>2)::bigint`,
    [JSON.stringify(wanted)],
  );
  return new Map(rows.map((row) => [keyOf(row.webhook_id, row.user_id, row.system_id), readHold(row)]));
}

/** Null: the hold goes. */
async function writeHolds(em: Em, holds: ReadonlyMap<string, Hold | null>): Promise<void> {
  const rows = [...holds].map(([key, hold]) => {
    const [webhook_id, user_id, system_id] = key.split(' ');
    return {
      webhook_id,
      user_id,
      system_id,
      until: hold === null ? null : instantText(hold.until),
      event_id: hold?.held?.eventId ?? null,
      payload: hold?.held?.payload ?? null,
      created_at: hold?.held == null ? null : instantText(hold.held.createdAt),
    };
  });
  const kept = rows.filter(({ until }) => until !== null);
  const gone = rows.filter(({ until }) => until === null);
  if (kept.length > 0) {
    await em.execute(
      `insert into webhook_holds
      select * from jsonb_populate_recordset(null::webhook_holds, ?::jsonb) order by 1, 2, 3
      on conflict (webhook_id, user_id, system_id) do update set until = excluded.until, event_id = excluded.event_id,
        payload = excluded.payload, created_at = excluded.created_at`,
      [JSON.stringify(kept)],
    );
  }
  if (gone.length > 0) {
    await em.execute(
      `delete from webhook_holds h using jsonb_populate_recordset(null::webhook_holds, ?::jsonb) g
      where h.webhook_id = g.webhook_id and h.user_id = g.user_id and h.system_id = g.system_id`,
      [JSON.stringify(gone)],
    );
  }
}

function readHold(row: HoldRow): Hold {
  const { event_id: eventId, payload } = row;
  const held = eventId === null || payload === null ? null : { eventId, payload, createdAt: Number(row.created_at) };
  return { until: Number(row.until), held };
}

function deliveryOf(webhookId: string, userId: string, told: NonNullable<Hold['held']>): Delivery {
  const { eventId, payload, createdAt } = told;
  return { webhookId, userId, eventId, kind: 'points_changed', payload: { ...payload }, causeKey: null, createdAt };
}

function systemOf({ payload }: Delivery): string {
  return payload.system as string;
}

function keyOf(webhookId: string, userId: string, systemId: string): string {
  return `${webhookId} ${userId} ${systemId}`;
}
