import type { QueryResultRow } from 'pg';
import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import type { ImportFormat, OpenImport } from './store-rows.ts';

/** An import as it stands. */
export interface FoundImport {
  id: string;
  name: string;
  format: ImportFormat;
  dryRun: boolean;
  retryOf: string | null;
  state: OpenImport['state'];
  error: string | null;
  rows: number;
  applied: number;
  duplicate: number;
  refused: number;
  lastLine: number;
  createdAt: Instant;
  updatedAt: Instant;
  receivedAt: Instant | null;
  finishedAt: Instant | null;
}

const IMPORT = `select i.*, coalesce(p.applied, 0) as applied, coalesce(p.duplicate, 0) as duplicate,
    i.invalid + coalesce(p.refused, 0) as refused
  from imports i left join lateral (
    select sum(applied) as applied, sum(duplicate) as duplicate, sum(refused) as refused
    from import_parts where import_id = i.id) p on true`;

export async function findImport(db: Queryable, projectId: string, id: string): Promise<FoundImport | undefined> {
  const { rows } = await db.query({
    name: 'find-import',
    text: `${IMPORT} where i.id = $2 and i.project_id = $1`,
    values: [projectId, id],
  });
  return rows[0] && toImport(rows[0]);
}

/** The imports of a project before the one of this id, the last one first. */
export async function listImports(
  db: Queryable,
  projectId: string,
  page: { before: string | undefined; limit: number },
): Promise<FoundImport[]> {
  const { rows } = await db.query({
    name: 'list-imports',
    text: `${IMPORT} where i.project_id = $1 and ($2::uuid is null or (i.created_at, i.id) <
        (select created_at, id from imports where id = $2))
      order by i.created_at desc, i.id desc limit $3`,
    values: [projectId, page.before ?? null, page.limit],
  });
  return rows.map(toImport);
}

/** Applies no more of it; false: it is finished, or not there. */
export async function cancelImport(db: Queryable, projectId: string, id: string, now: Instant): Promise<boolean> {
  const { rowCount } = await db.query(
    `update imports set state = 'cancelled', finished_at = $3, updated_at = $3
      where id = $2 and project_id = $1 and state in ('receiving', 'applying')`,
    [projectId, id, instantText(now)],
  );
  return rowCount === 1;
}

function toImport(row: QueryResultRow): FoundImport {
  return {
    id: row.id,
    name: row.name,
    format: row.format,
    dryRun: row.dry_run,
    retryOf: row.retry_of,
    state: row.state,
    error: row.error,
    rows: Number(row.rows),
    applied: Number(row.applied),
    duplicate: Number(row.duplicate),
    refused: Number(row.refused),
    lastLine: Number(row.last_line),
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    receivedAt: row.received_at?.getTime() ?? null,
    finishedAt: row.finished_at?.getTime() ?? null,
  };
}
