import type { Queryable } from '../db/pool.ts';
import type { Change } from '../program/diff.ts';

export interface AuditEntry {
  id: string;
  at: number;
  actor: string;
  change: Change;
  programVersion: number | null;
  /** The app's own id of the user that a boost is for; null: none. */
  user: string | null;
}

/** Changes of what is configured in a project, the newest first; empty `kind` and `key`: any. */
export async function auditLog(
  db: Queryable,
  projectId: string,
  asked: { kind: string; key: string; beforeId: string | undefined; limit: number },
): Promise<AuditEntry[]> {
  const { rows } = await db.query({
    name: 'audit-log',
    text: `select a.id, a.at, a.actor, a.action, a.kind, a.key, a.fields, a.program_version, u.external_id
      from audit a left join users u on u.id = a.user_id
      where a.project_id = $1 and ($2 = '' or a.kind = $2) and ($3 = '' or a.key = $3)
        and ($4::bigint is null or a.id < $4)
      order by a.id desc limit $5`,
    values: [projectId, asked.kind, asked.key, asked.beforeId ?? null, asked.limit],
  });
  return rows.map((row) => ({
    id: row.id,
    at: row.at.getTime(),
    actor: row.actor,
    change: { action: row.action, kind: row.kind, key: row.key, fields: row.fields },
    programVersion: row.program_version,
    user: row.external_id,
  }));
}
