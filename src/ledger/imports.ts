import type { Queryable } from '../db/pool.ts';
import type { AttemptName } from './commands.ts';
import type { ImportContent, ImportRow } from './rows.ts';

export interface FoundImport {
  /** Of the command that was applied, with what it brought; undefined: the user came to be known in another way. */
  imported: { id: string; content: ImportContent } | undefined;
}

/** Of the users of these imports, those who are known, by the `id` that was asked with. */
export async function findImports(db: Queryable, names: readonly AttemptName[]): Promise<Map<string, FoundImport>> {
  if (names.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-imports',
    text: `select asked.id as asked_id, i.id, i.content
      from unnest($1::bigint[], $2::text[], $3::uuid[]) as asked (project_id, external_id, id)
      join users u using (project_id, external_id)
      left join user_imports i on i.user_id = u.id
      where u.created_at is not null`,
    values: [names.map((name) => name.projectId), names.map((name) => name.user), names.map((name) => name.id)],
  });
  return new Map(
    rows.map((row) => [
      row.asked_id as string,
      { imported: row.id === null ? undefined : { id: row.id, content: row.content } },
    ]),
  );
}

/** What users came with, by user; those who were not imported are absent. */
export async function importsOf(db: Queryable, userIds: readonly string[]): Promise<Map<string, ImportRow>> {
  const { rows } = await db.query('select * from user_imports where user_id = any($1::bigint[])', [userIds]);
  return new Map(
    rows.map((row) => [
      row.user_id as string,
      {
        userId: row.user_id,
        id: row.id,
        content: row.content,
        receivedAt: row.received_at.getTime(),
        createdAt: row.created_at.getTime(),
        programVersion: row.program_version,
        hash: row.hash,
      },
    ]),
  );
}
