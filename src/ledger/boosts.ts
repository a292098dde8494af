import { instantText, type Queryable } from '../db/pool.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Instant, UserBoost } from '../rules/types.ts';

/** A boost of one user as it was in a stretch of time. */
export interface LivedBoost extends UserBoost {
  /** `until` null: it is there, and is so still. */
  lived: { from: Instant; until: Instant | null };
}

/**
 * The boosts made for single users, by project and user; users without any are absent. `since`: those that were archived
 * later are there too, and what each was before it was changed later.
 */
export async function findUserBoosts(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
  since: Instant | null = null,
): Promise<Map<string, LivedBoost[]>> {
  const { rows } = await db.query({
    name: 'find-user-boosts',
    text: `select u.project_id, u.external_id, b.id, b.system_id, b.name, b.multiplier, b.rounding, b.exclusive,
        b.start_time, b.end_time, b.start_date::text, b.end_date::text, b.zone, b.created_at, b.archived_at, b.earlier
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)
      join user_boosts b on b.user_id = u.id and (b.archived_at is null or b.archived_at > $3::timestamptz)
      order by b.id`,
    values: [
      users.map((user) => user.projectId),
      users.map((user) => user.externalId),
      since === null ? null : instantText(since),
    ],
  });
  const found = new Map<string, LivedBoost[]>();
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    const boosts = found.get(key) ?? [];
    boosts.push(...livesOf(row).filter(({ lived: { until } }) => until === null || (since !== null && until > since)));
    found.set(key, boosts);
  }
  return found;
}

interface BoostRow extends DecidingColumns<Date> {
  id: string;
  system_id: string;
  name: string;
  created_at: Date;
  archived_at: Date | null;
  /** In the order of time. */
  earlier: (DecidingColumns<string> & { until: Instant })[];
}

/** What decides how a boost multiplies, and when; instants as the driver gives them or, in JSON, as text. */
interface DecidingColumns<At> {
  multiplier: string | number;
  rounding: UserBoost['rounding'];
  exclusive: boolean;
  start_time: At | null;
  end_time: At | null;
  start_date: string | null;
  end_date: string | null;
  zone: 'user' | 'project' | null;
}

/** What a boost was from one change to the next. */
function livesOf(row: BoostRow): LivedBoost[] {
  let from = row.created_at.getTime();
  const before = row.earlier.map((was): LivedBoost => {
    const lived = { from, until: was.until };
    from = was.until;
    return { ...readBoost(row, was), lived };
  });
  return [...before, { ...readBoost(row, row), lived: { from, until: row.archived_at?.getTime() ?? null } }];
}

function readBoost(row: BoostRow, as: DecidingColumns<Date | string>): UserBoost {
  const instant = (at: Date | string) => new Date(at).getTime();
  return {
    id: row.id,
    systemId: row.system_id,
    name: row.name,
    multiplier: parseDecimal(String(as.multiplier)),
    rounding: as.rounding,
    exclusive: as.exclusive,
    userAttributes: [],
    window:
      as.start_time === null
        ? { kind: 'dates', start: as.start_date as string, end: as.end_date, zone: as.zone as 'user' | 'project' }
        : {
            kind: 'instants',
            startTime: instant(as.start_time),
            endTime: as.end_time === null ? null : instant(as.end_time),
          },
  };
}
