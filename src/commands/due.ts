import { instantText, type Queryable } from '../db/pool.ts';
import type { Instant } from '../rules/types.ts';

/** A user for whom something is due. */
export interface DueUser {
  projectId: string;
  user: string;
}

/** Users of live projects for whom a tick has been due since before `before`, the longest first. */
export async function dueUsers(db: Queryable, before: Instant, limit: number): Promise<DueUser[]> {
  const { rows } = await db.query(
    `select distinct project_id, external_id from (
      select u.project_id, u.external_id from clocks c join users u on u.id = c.user_id
        join projects p on p.id = u.project_id and p.archived_at is null
      where c.due_at < $1 order by c.due_at limit $2
    ) due`,
    [instantText(before), limit],
  );
  return rows.map((row) => ({ projectId: row.project_id, user: row.external_id }));
}

/** Users of live projects of whom a streak has been over since before `before`, and that is not told: the longest first. */
export async function streakLosers(db: Queryable, before: Instant, limit: number): Promise<DueUser[]> {
  const { rows } = await db.query(
    `select distinct project_id, external_id from (
      select u.project_id, u.external_id from streak_runs r join users u on u.id = r.user_id
        join projects p on p.id = u.project_id and p.archived_at is null
      where r.due_at < $1 order by r.due_at limit $2
    ) due`,
    [instantText(before), limit],
  );
  return rows.map((row) => ({ projectId: row.project_id, user: row.external_id }));
}

/** A project whose users are to be settled, one after the other, since the clock gives something else there. */
export interface Walk {
  projectId: string;
  era: number;
  /** Internal id of the last user who was. */
  afterUser: string;
}

/** Projects with users that are not settled by the era of the program in force. */
export async function walksToDo(db: Queryable): Promise<Walk[]> {
  const { rows } = await db.query(
    `select p.id, g.era, case when w.era = g.era then w.after_user else 0 end as after_user
    from projects p
    join programs g on g.project_id = p.id and g.version = p.program_version
    left join clock_walks w on w.project_id = p.id
    where g.era > 0 and p.archived_at is null and (w.era is distinct from g.era or not w.done)`,
  );
  return rows.map((row) => ({ projectId: row.id, era: row.era, afterUser: row.after_user }));
}

/** The next users of a walk; `last` undefined: there are no more. */
export async function nextOfWalk(
  db: Queryable,
  walk: Walk,
  limit: number,
): Promise<{ users: DueUser[]; last: string | undefined }> {
  const { rows } = await db.query(
    `select id, project_id, external_id from users
    where project_id = $1 and id > $2 and created_at is not null order by id limit $3`,
    [walk.projectId, walk.afterUser, limit],
  );
  return {
    users: rows.map((row) => ({ projectId: row.project_id, user: row.external_id })),
    last: rows.at(-1)?.id,
  };
}

/** Notes how far a walk has come; `last` undefined: to its end. */
export async function stepWalk(db: Queryable, walk: Walk, last: string | undefined): Promise<void> {
  await db.query(
    `insert into clock_walks as w (project_id, era, after_user, done) values ($1, $2, $3, $4)
    on conflict (project_id) do update set era = excluded.era, after_user = excluded.after_user, done = excluded.done
    where w.era <= excluded.era`,
    [walk.projectId, walk.era, last ?? walk.afterUser, last === undefined],
  );
}
