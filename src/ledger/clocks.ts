import type { Queryable } from '../db/pool.ts';
import { levelName } from '../rules/reward.ts';
import type { Clock } from '../rules/ticks.ts';
import type { Account, Instant } from '../rules/types.ts';

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

/** All that settling a user starts from, as of one moment. */
export interface Standing {
  /** By system id; missing: nothing posted yet. */
  accounts: Map<string, Account>;
  /** By system id; missing: never settled there. */
  clocks: Map<string, Clock>;
  /** Levels that have rewarded the user, as `levelName` writes them. */
  rewarded: Set<string>;
}

export async function standingOf(db: Queryable, userId: string, systemIds: readonly string[]): Promise<Standing> {
  const { rows } = await db.query({
    name: 'standing-of',
    text: `select asked.system_id, a.balance, a.earned, a.version, c.settled_at, c.running,
        array(select level_key from level_rewards r where r.user_id = $1 and r.system_id = asked.system_id) as rewarded
      from unnest($2::bigint[]) as asked (system_id)
      left join accounts a on a.user_id = $1 and a.system_id = asked.system_id
      left join clocks c on c.user_id = $1 and c.system_id = asked.system_id`,
    values: [userId, systemIds],
  });
  const standing: Standing = { accounts: new Map(), clocks: new Map(), rewarded: new Set() };
  for (const { system_id: systemId, balance, earned, version, rewarded, ...clock } of rows) {
    if (balance !== null) {
      standing.accounts.set(systemId, { balance: BigInt(balance), earned: BigInt(earned), version: BigInt(version) });
    }
    if (clock.settled_at !== null) standing.clocks.set(systemId, readClock(clock));
    for (const key of rewarded as string[]) standing.rewarded.add(levelName(systemId, key));
  }
  return standing;
}
