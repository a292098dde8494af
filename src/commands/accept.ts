import { instantText, type Queryable } from '../db/pool.ts';
import type { Instant } from '../rules/types.ts';
import type { Command } from './command.ts';

/** Stores commands durably before they are queued, so that a lost queue loses none of them. */
export async function accept(db: Queryable, commands: readonly Command[], now: Instant): Promise<Command[]> {
  const accepted = commands.map((command) => ({ ...command, inbox: true as const }));
  await db.query({
    name: 'accept',
    text: `insert into inbox (id, project_id, command, accepted_at, queued_at)
      select *, $4::timestamptz, $4::timestamptz from unnest($1::uuid[], $2::bigint[], $3::jsonb[])`,
    values: [
      accepted.map((command) => command.id),
      accepted.map((command) => command.projectId),
      accepted.map((command) => JSON.stringify(command)),
      instantText(now),
    ],
  });
  return accepted;
}

/** Accepted commands that were last queued before `before` and are still not applied, the oldest first. */
export async function overdue(db: Queryable, before: Instant, limit: number): Promise<Command[]> {
  const { rows } = await db.query('select command from inbox where queued_at < $1 order by queued_at, id limit $2', [
    instantText(before),
    limit,
  ]);
  return rows.map((row) => row.command as Command);
}

/** Notes that accepted commands were queued again. */
export async function requeued(db: Queryable, commands: readonly Command[], now: Instant): Promise<void> {
  await db.query('update inbox set queued_at = $2 where id = any($1::uuid[])', [
    commands.map((command) => command.id),
    instantText(now),
  ]);
}

/**
 * Forgets accepted commands whose outcome is committed. Outside the lane's transaction, where deleting would bring
 * conflicts: a row that outlives its command is queued again, found applied, and forgotten then.
 */
export async function leaveInbox(db: Queryable, commands: readonly Command[]): Promise<void> {
  const ids = commands.filter((command) => command.inbox).map((command) => command.id);
  if (ids.length > 0) await db.query('delete from inbox where id = any($1::uuid[])', [ids]);
}
