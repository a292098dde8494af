import { createPool } from './pool.ts';

const APPEND_ONLY = [
  'events',
  'entries',
  'commands',
  'refusals',
  'programs',
  'audit',
  'user_commands',
  'user_imports',
  'level_changes',
  'settlements',
  'completions',
  'level_rewards',
];

/**
 * Gives the role of the application's URL what it needs and no more, where migrations run as another role: it reads and
 * writes, but of the append-only tables it can only read and insert.
 */
export async function grantApplicationRole(ownerUrl: string, applicationUrl: string): Promise<void> {
  const role = decodeURIComponent(new URL(applicationUrl).username);
  const pool = createPool({ url: ownerUrl, max: 1, name: 'guerdon-migrate', onError: () => {} });
  try {
    const { rows } = await pool.query('select quote_ident($1) as name, current_user = $1 as owner', [role]);
    if (rows[0].owner) return;
    const { name } = rows[0];
    const { rows: schemas } = await pool.query(
      `select quote_ident(nspname) as schema from pg_namespace where nspname in ('public', 'bullmq')`,
    );
    for (const { schema } of schemas) {
      await pool.query(`grant usage on schema ${schema} to ${name}`);
      await pool.query(`grant select, insert, update, delete on all tables in schema ${schema} to ${name}`);
      await pool.query(`grant usage, select on all sequences in schema ${schema} to ${name}`);
      await pool.query(`grant execute on all functions in schema ${schema} to ${name}`);
    }
    await pool.query(`revoke update, delete on ${APPEND_ONLY.join(', ')} from ${name}`);
  } finally {
    await pool.end();
  }
}
