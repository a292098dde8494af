import type { Queryable } from '../db/pool.ts';
import type { DecisionRecord } from '../rules/record.ts';
import { levelName } from '../rules/reward.ts';
import type { Instant } from '../rules/types.ts';

type Users = readonly { projectId: string; externalId: string }[];

const ASKED_USERS = `unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
  join users u using (project_id, external_id)`;

function userColumns(users: Users): unknown[] {
  return [users.map((user) => user.projectId), users.map((user) => user.externalId)];
}

/** Ids of the achievements that users have completed, by project and user. */
export async function findCompleted(db: Queryable, users: Users): Promise<Map<string, Set<string>>> {
  if (users.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-completed',
    text: `select u.project_id, u.external_id, c.achievement_id as name from ${ASKED_USERS}
      join completions c on c.user_id = u.id`,
    values: userColumns(users),
  });
  return byUser(rows);
}

/** Levels that have rewarded users, by project and user, as `levelName` writes them. */
export async function findRewarded(db: Queryable, users: Users): Promise<Map<string, Set<string>>> {
  if (users.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-rewarded',
    text: `select u.project_id, u.external_id, r.system_id, r.level_key from ${ASKED_USERS}
      join level_rewards r on r.user_id = u.id`,
    values: userColumns(users),
  });
  return byUser(rows.map((row) => ({ ...row, name: levelName(row.system_id, row.level_key) })));
}

function byUser(rows: readonly { project_id?: string; external_id?: string; name?: string }[]) {
  const found = new Map<string, Set<string>>();
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    found.set(key, (found.get(key) ?? new Set()).add(row.name as string));
  }
  return found;
}

/** Names the completion of an achievement as its sender does. */
export interface CompletionName {
  id: string;
  projectId: string;
  user: string;
  achievementId: string;
}

export interface FoundCompletion {
  userId: string;
  id: string;
  at: Instant;
  programVersion: number;
  /** Null: an event completed it. */
  decision: DecisionRecord | null;
}

/** The completions that have the names asked for, by the `id` that was asked with. */
export async function findCompletions(
  db: Queryable,
  names: readonly CompletionName[],
): Promise<Map<string, FoundCompletion>> {
  if (names.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-completions',
    text: `select asked.id as asked_id, c.user_id, c.id, c.at, c.program_version, c.decision
      from unnest($1::bigint[], $2::text[], $3::uuid[], $4::uuid[])
        as asked (project_id, external_id, achievement_id, id)
      join users u using (project_id, external_id)
      join completions c on c.user_id = u.id and c.achievement_id = asked.achievement_id`,
    values: [
      names.map((name) => name.projectId),
      names.map((name) => name.user),
      names.map((name) => name.achievementId),
      names.map((name) => name.id),
    ],
  });
  return new Map(
    rows.map((row) => [
      row.asked_id as string,
      {
        userId: row.user_id,
        id: row.id,
        at: row.at.getTime(),
        programVersion: row.program_version,
        decision: row.decision,
      },
    ]),
  );
}

export interface StoredCompletion {
  achievementId: string;
  at: Instant;
  backdated: boolean;
  /** Of the program that completed it. */
  programVersion: number;
}

/** What a user has completed, the latest first, after the cursor of the page before. */
export async function completionsOfUser(
  db: Queryable,
  userId: string,
  page: { after: { at: Instant; achievementId: string } | undefined; limit: number },
): Promise<StoredCompletion[]> {
  const { rows } = await db.query({
    name: 'completions-of-user',
    text: `select achievement_id, at, backdated, program_version from completions
      where user_id = $1 and ($2::timestamptz is null or (at, achievement_id) < ($2, $3::uuid))
      order by at desc, achievement_id desc limit $4`,
    values: [
      userId,
      page.after === undefined ? null : new Date(page.after.at).toISOString(),
      page.after?.achievementId ?? null,
      page.limit,
    ],
  });
  return rows.map((row) => ({
    achievementId: row.achievement_id,
    at: row.at.getTime(),
    backdated: row.backdated,
    programVersion: row.program_version,
  }));
}

/** How many users have completed each of these achievements, and how many users the project has. */
export async function completionCounts(
  db: Queryable,
  projectId: string,
  achievementIds: readonly string[],
): Promise<{ counts: Map<string, bigint>; users: bigint }> {
  const [counted, users] = await Promise.all([
    db.query({
      name: 'completion-counts',
      text: `select achievement_id, count(*) as users from completions
        where achievement_id = any($1::uuid[]) group by 1`,
      values: [achievementIds],
    }),
    db.query({
      name: 'count-users',
      text: 'select count(*) as users from users where project_id = $1 and created_at is not null',
      values: [projectId],
    }),
  ]);
  return {
    counts: new Map(counted.rows.map((row) => [row.achievement_id, BigInt(row.users)])),
    users: BigInt(users.rows[0].users),
  };
}
