import type { AnnouncementKind, AnnouncementPayload } from '../../db/entities/outbox.ts';
import { type Orm, transact } from '../../db/orm.ts';
import { wants } from '../../ledger/webhooks.ts';
import type { Instant } from '../../rules/types.ts';
import type { Em } from '../next-program.ts';
import { type Delivery, queueDeliveries } from './deliveries.ts';
import { holdBack, type LimitedDelivery, releaseHolds } from './holds.ts';

/** Announcements, and changes that were held, which one transaction takes. */
const ROWS_MAX = 1_000;

interface Announcement {
  id: string;
  project_id: string;
  user_id: string | null;
  kind: AnnouncementKind;
  payload: AnnouncementPayload;
  cause_key: string | null;
  created_at: string;
}

interface Endpoint {
  id: string;
  project_id: string;
  kinds: readonly AnnouncementKind[];
  points_interval: number;
}

/**
 * Makes deliveries, one for each webhook that wants it, of what is in the outbox, and of changes of points that were held
 * until now; what was taken leaves the outbox in the same transaction. One process at a time, so that of one user nothing
 * comes before what was announced earlier. Gives how much was taken: it is done again until that is nothing.
 */
export async function fanOut(orm: Orm, now: Instant): Promise<number> {
  return transact(orm, async (em) => {
    await em.execute(`select pg_advisory_xact_lock(hashtext('guerdon webhooks'))`);
    const held = await releaseHolds(em, now, ROWS_MAX);
    const taken: Announcement[] = await em.execute(
      `select id::text, project_id::text, user_id::text, kind, payload, cause_key,
        (extract(epoch from created_at) * 1000)::bigint::text as created_at from outbox order by id limit ?`,
      [ROWS_MAX],
    );
    if (taken.length + held.count === 0) return 0;
    const endpoints = await endpointsOf(em, [...new Set(taken.map((row) => row.project_id))]);
    const direct: Delivery[] = [];
    const limited: LimitedDelivery[] = [];
    for (const row of taken) {
      for (const endpoint of endpoints.get(row.project_id) ?? []) {
        if (!wants(endpoint.kinds, row.kind)) continue;
        const delivery = deliveryOf(endpoint, row);
        const intervalMs = endpoint.points_interval * 1_000;
        if (row.kind === 'points_changed' && intervalMs > 0) limited.push({ ...delivery, intervalMs });
        else direct.push(delivery);
      }
    }
    const told = await holdBack(em, limited, now);
    await queueDeliveries(em, [...held.deliveries, ...direct, ...told], now);
    await em.execute('delete from outbox where id = any(array(select jsonb_array_elements_text(?::jsonb)::bigint))', [
      JSON.stringify(taken.map(({ id }) => id)),
    ]);
    return taken.length + held.count;
  });
}

async function endpointsOf(em: Em, projectIds: readonly string[]): Promise<Map<string, Endpoint[]>> {
  if (projectIds.length === 0) return new Map();
  const rows: Endpoint[] = await em.execute(
    `select id, project_id::text, kinds, points_interval from webhooks
    where project_id = any(array(select jsonb_array_elements_text(?::jsonb)::bigint)) and archived_at is null`,
    [JSON.stringify(projectIds)],
  );
  return Map.groupBy(rows, (row) => row.project_id);
}

function deliveryOf({ id }: Endpoint, row: Announcement): Delivery {
  return {
    webhookId: id,
    eventId: row.id,
    userId: row.user_id ?? '0',
    kind: row.kind,
    payload: row.payload,
    causeKey: row.cause_key,
    createdAt: Number(row.created_at),
  };
}
