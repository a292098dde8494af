import type { Orm } from '../db/orm.ts';
import type { Change } from '../program/diff.ts';

/** Something stored that a change would put out of reach; bringing the same key back brings it back too. */
export interface Stranded {
  kind: Change['kind'];
  key: string;
  /** How much: in words, with the numbers. */
  what: string;
}

/** What is stored under the things that these changes archive. */
export async function strandedBy(em: Orm['em'], projectId: string, changes: readonly Change[]): Promise<Stranded[]> {
  const found: Stranded[] = [];
  for (const { action, kind, key } of changes) {
    const count = action === 'archive' ? COUNTS[kind] : undefined;
    if (count === undefined) continue;
    const [row] = await em.execute(count.sql, [projectId, key]);
    if (row !== undefined && BigInt(row.users) > 0n) found.push({ kind, key, what: count.say(row) });
  }
  return found;
}

type Row = Record<string, string>;

const COUNTS: Partial<Record<Change['kind'], { sql: string; say: (row: Row) => string }>> = {
  points_system: {
    sql: `select count(*) as users, coalesce(sum(a.balance), 0) as points from accounts a
      join points_systems s on s.id = a.system_id where s.project_id = ? and s.key = ? and a.version > 0`,
    say: ({ users, points }) => `${users} users hold ${points} points in it`,
  },
  metric: {
    sql: `select count(*) as users from metric_totals t join metrics m on m.id = t.metric_id
      where m.project_id = ? and m.key = ?`,
    say: ({ users }) => `${users} users have a total of it`,
  },
  user_attribute: {
    sql: 'select count(*) as users from users where project_id = ? and jsonb_exists(attributes, ?)',
    say: ({ users }) => `${users} users have a value for it`,
  },
};
