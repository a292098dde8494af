import type { Queryable } from '../db/pool.ts';
import type { Clock } from '../rules/ticks.ts';
import type { Instant } from '../rules/types.ts';

/** How far a user's ticks are settled. */
export interface UserClocks {
  /** Null: the user is not known. */
  created: Instant | null;
  /** By system id; missing: never settled there. */
  clocks: Map<string, Clock>;
}

/** By project and user; users without a row are absent. */
export async function findClocks(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
): Promise<Map<string, UserClocks>> {
  const { rows } = await db.query({
    name: 'find-clocks',
    text: `select u.project_id, u.external_id, u.created_at, c.system_id, c.settled_at, c.running
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)
      left join clocks c on c.user_id = u.id`,
    values: [users.map((user) => user.projectId), users.map((user) => user.externalId)],
  });
  const found = new Map<string, UserClocks>();
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    const own = found.get(key) ?? { created: row.created_at?.getTime() ?? null, clocks: new Map() };
    if (row.system_id !== null) own.clocks.set(row.system_id, readClock(row));
    found.set(key, own);
  }
  return found;
}

export function readClock(row: { settled_at: Date; running: Record<string, number | null> }): Clock {
  return { settledAt: row.settled_at.getTime(), running: new Map(Object.entries(row.running)) };
}
