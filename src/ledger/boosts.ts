import type { Queryable } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { UserBoost } from '../rules/types.ts';

/** The boosts made for single users, by project and user; users without any are absent. */
export async function findUserBoosts(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
): Promise<Map<string, UserBoost[]>> {
  const { rows } = await db.query({
    name: 'find-user-boosts',
    text: `select u.project_id, u.external_id, b.id, b.system_id, b.name, b.multiplier, b.rounding, b.exclusive,
        b.start_time, b.end_time, b.start_date::text, b.end_date::text, b.zone
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)
      join user_boosts b on b.user_id = u.id and b.archived_at is null
      order by b.id`,
    values: [users.map((user) => user.projectId), users.map((user) => user.externalId)],
  });
  const found = new Map<string, UserBoost[]>();
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
}

function readBoost(row: BoostRow): UserBoost {
  return {
    id: row.id,
    systemId: row.system_id,
    name: row.name,
    multiplier: parseDecimal(row.multiplier),
    rounding: row.rounding,
    exclusive: row.exclusive,
    userAttributes: [],
    window:
      row.start_time === null
        ? { kind: 'dates', start: row.start_date as string, end: row.end_date, zone: row.zone as 'user' | 'project' }
        : { kind: 'instants', startTime: row.start_time.getTime(), endTime: row.end_time?.getTime() ?? null },
  };
}
