import type { Queryable } from '../db/pool.ts';
import { usageKey } from '../rules/quota.ts';
import type { Usage, ZonePeriod } from '../rules/types.ts';

/** Slots of one user of which it is asked what was paid there. */
export interface AskedUsage {
  projectId: string;
  externalId: string;
  triggerId: string;
  slots: readonly string[];
}

/** What triggers have paid users: by project and user, then by trigger and slot. */
export async function findUsage(db: Queryable, asked: readonly AskedUsage[]): Promise<Map<string, Map<string, Usage>>> {
  const rows = asked.flatMap(({ slots, ...rest }) => slots.map((slot) => ({ ...rest, slot })));
  const { rows: found } = await db.query({
    name: 'find-usage',
    text: `select u.project_id, u.external_id, t.trigger_id, t.slot, t.awards, t.points, t.at
      from unnest($1::bigint[], $2::text[], $3::uuid[], $4::text[]) as asked (project_id, external_id, trigger_id, slot)
      join users u using (project_id, external_id)
      join trigger_usage t on t.user_id = u.id and t.trigger_id = asked.trigger_id and t.slot = asked.slot`,
    values: [
      rows.map((row) => row.projectId),
      rows.map((row) => row.externalId),
      rows.map((row) => row.triggerId),
      rows.map((row) => row.slot),
    ],
  });
  const usage = new Map<string, Map<string, Usage>>();
  for (const row of found) {
    const user = `${row.project_id} ${row.external_id}`;
    const own = usage.get(user) ?? new Map<string, Usage>();
    const paid = { awards: BigInt(row.awards), points: BigInt(row.points), at: row.at.getTime() };
    usage.set(user, own.set(usageKey(row.trigger_id, row.slot), paid));
  }
  return usage;
}

/** Histories of zones, by project and user; users that are not known are absent. */
export async function findZones(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
): Promise<Map<string, readonly ZonePeriod[]>> {
  const { rows } = await db.query({
    name: 'find-zones',
    text: `select project_id, external_id, zones
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users using (project_id, external_id)`,
    values: [users.map((user) => user.projectId), users.map((user) => user.externalId)],
  });
  return new Map(rows.map((row) => [`${row.project_id} ${row.external_id}`, row.zones]));
}
