import { instantText, type Queryable } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Instant, UserBoost } from '../rules/types.ts';

/** A boost of one user, and the time in which it was there. */
export interface LivedBoost extends UserBoost {
  /** `until` null: it is there. */
  lived: { from: Instant; until: Instant | null };
}

/**
 * The boosts made for single users, by project and user; users without any are absent. `archivedSince`: those that were
 * archived later are there too.
 */
export async function findUserBoosts(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
  archivedSince: Instant | null = null,
): Promise<Map<string, LivedBoost[]>> {
  const { rows } = await db.query({
    name: 'find-user-boosts',
    text: `select u.project_id, u.external_id, b.id, b.system_id, b.name, b.multiplier, b.rounding, b.exclusive,
        b.start_time, b.end_time, b.start_date::text, b.end_date::text, b.zone, b.created_at, b.archived_at
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)
      join user_boosts b on b.user_id = u.id and (b.archived_at is null or b.archived_at > $3::timestamptz)
      order by b.id`,
    values: [
      users.map((user) => user.projectId),
      users.map((user) => user.externalId),
      archivedSince === null ? null : instantText(archivedSince),
    ],
  });
  const found = new Map<string, LivedBoost[]>();
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    const boosts = found.get(key) ?? [];
    boosts.push(readBoost(row));
    found.set(key, boosts);
  }
  return found;
}

interface BoostRow {
  id: string;
  system_id: string;
  name: string;
  multiplier: string;
  rounding: UserBoost['rounding'];
  exclusive: boolean;
  start_time: Date | null;
  end_time: Date | null;
  start_date: string | null;
  end_date: string | null;
  zone: 'user' | 'project' | null;
  created_at: Date;
  archived_at: Date | null;
}

function readBoost(row: BoostRow): LivedBoost {
  return {
    id: row.id,
    systemId: row.system_id,
    name: row.name,
    multiplier: parseDecimal(row.multiplier),
    rounding: row.rounding,
    exclusive: row.exclusive,
    userAttributes: [],
    lived: { from: row.created_at.getTime(), until: row.archived_at?.getTime() ?? null },
    window:
      row.start_time === null
        ? { kind: 'dates', start: row.start_date as string, end: row.end_date, zone: row.zone as 'user' | 'project' }
        : { kind: 'instants', startTime: row.start_time.getTime(), endTime: row.end_time?.getTime() ?? null },
  };
}
