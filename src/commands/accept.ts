import { instantText, type Queryable } from '../db/pool.ts';
import { noteReused } from '../ledger/commands.ts';
import type { Instant } from '../rules/types.ts';
import type { Command, EventCommand } from './command.ts';
import type { Outcome } from './outcome.ts';

/** Stores commands durably before they are queued, so that a lost queue loses none of them; they carry `inbox`. */
export async function accept(db: Queryable, commands: readonly Command[], now: Instant): Promise<void> {
  await db.query({
    name: 'accept',
    text: `insert into inbox (id, project_id, command, accepted_at, queued_at)
      select *, $4::timestamptz, $4::timestamptz from unnest($1::uuid[], $2::bigint[], $3::jsonb[])`,
    values: [
      commands.map((command) => command.id),
      commands.map((command) => command.projectId),
      commands.map((command) => JSON.stringify(command)),
      instantText(now),
    ],
  });
}

/**
 * Accepted commands that are still not applied so many milliseconds after they were last queued, those that have waited
 * longest first: about `limit` of them, since what was stored together is not divided, or later commands of a list could be
 * applied before earlier ones. The longer a command has waited, the rarer it is queued again: most likely the queue has it.
 */
export async function overdue(
  db: Queryable,
  { after, now, limit }: { after: number; now: Instant; limit: number },
): Promise<Command[]> {
  const { rows } = await db.query(
    `select id, command from inbox where queued_at < $1
      and queued_at + least(queued_at - accepted_at, interval '1 minute') < $2
    order by queued_at fetch first $3 rows with ties`,
    [instantText(now - after), instantText(now), limit],
  );
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1)).map((row) => row.command as Command);
}

/** Notes that accepted commands were queued again. */
export async function requeued(db: Queryable, commands: readonly Command[], now: Instant): Promise<void> {
  await db.query('update inbox set queued_at = $2 where id = any($1::uuid[])', [
    commands.map((command) => command.id),
    instantText(now),
  ]);
}

/**
 * Forgets accepted commands whose outcome is committed; that a key was used with other content is kept for who asks what
 * became of the event, since nobody waits to hear it. Outside the lane's transaction, where deleting would bring
 * conflicts: a row that outlives its command is queued again, found applied, and forgotten then.
 */
export async function leaveInbox(
  db: Queryable,
  commands: readonly Command[],
  outcomes: readonly Outcome[],
  now: Instant,
): Promise<void> {
  const reused = commands.flatMap((command, index) => {
    const outcome = outcomes[index];
    const told = outcome?.status === 'refused' && outcome.code === 'IDEMPOTENCY_KEY_REUSED';
    return told && command.inbox && command.kind === 'event' ? [{ ...command, detail: outcome.detail }] : [];
  });
  if (reused.length > 0) await noteReused(db, reused, now);
  const ids = commands.filter((command) => command.inbox).map((command) => command.id);
  if (ids.length > 0) await db.query('delete from inbox where id = any($1::uuid[])', [ids]);
}

/** An event that is accepted and not applied yet, or that was set aside. */
export interface PendingEvent {
  command: EventCommand;
  status: 'accepted' | 'set_aside';
}

/** The pending event of this attempt. */
export async function pendingById(db: Queryable, projectId: string, id: string): Promise<PendingEvent | undefined> {
  const { rows } = await db.query({
    name: 'pending-by-id',
    text: `select command, 'accepted' as status from inbox where id = $2 and project_id = $1
        and command ->> 'kind' = 'event'
      union all
      select command, 'set_aside' from poisoned where id = $2 and project_id = $1 and command ->> 'kind' = 'event'
      limit 1`,
    values: [projectId, id],
  });
  return rows[0] as PendingEvent | undefined;
}

/** The event with this key that is accepted and not applied yet, the first one where there are several. */
export async function pendingByKey(
  db: Queryable,
  projectId: string,
  name: { user: string; metricId: string; key: string },
): Promise<PendingEvent | undefined> {
  const { rows } = await db.query({
    name: 'pending-by-key',
    text: `select command, 'accepted' as status from inbox where project_id = $1 and command ->> 'user' = $2
        and command ->> 'key' = $3 and command ->> 'metricId' = $4 and command ->> 'kind' = 'event'
      order by accepted_at, id limit 1`,
    values: [projectId, name.user, name.key, name.metricId],
  });
  return rows[0] as PendingEvent | undefined;
}
