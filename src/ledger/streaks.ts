import type { Queryable } from '../db/pool.ts';
import type { Frequency, Instant, StreakRun } from '../rules/types.ts';

/** A run as it is stored. */
export interface KnownRun extends StreakRun {
  /** When something was first done in its last period; null: it is not known. */
  extendedAt: Instant | null;
}

/** Runs of a user that periods from `from` to `to` may be part of or join. */
export interface AskedRuns {
  projectId: string;
  externalId: string;
  frequency: Frequency;
  from: number;
  to: number;
}

/** By project and user, each run once. */
export async function findRuns(db: Queryable, asked: readonly AskedRuns[]): Promise<Map<string, KnownRun[]>> {
  const found = new Map<string, KnownRun[]>();
  if (asked.length === 0) return found;
  const { rows } = await db.query({
    name: 'find-runs',
    text: `select distinct u.project_id, u.external_id, r.first_period, r.last_period, r.extended_at
      from unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::int[])
        as asked (project_id, external_id, frequency, from_period, to_period)
      join users u using (project_id, external_id)
      join streak_runs r on r.user_id = u.id and r.frequency = asked.frequency
        and r.last_period >= asked.from_period - 1 and r.first_period <= asked.to_period + 1`,
    values: [
      asked.map((one) => one.projectId),
      asked.map((one) => one.externalId),
      asked.map((one) => one.frequency),
      asked.map((one) => one.from),
      asked.map((one) => one.to),
    ],
  });
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    found.set(key, [...(found.get(key) ?? []), knownRun(row)]);
  }
  return found;
}

/** A run whose end is to be told, or to be found out anew. */
export interface OpenRun extends StreakRun {
  frequency: Frequency;
  dueAt: Instant;
}

/** By project and user. */
export async function findOpenRuns(
  db: Queryable,
  users: readonly { projectId: string; externalId: string }[],
): Promise<Map<string, OpenRun[]>> {
  if (users.length === 0) return new Map();
  const { rows } = await db.query({
    name: 'find-open-runs',
    text: `select u.project_id, u.external_id, r.frequency, r.first_period, r.last_period, r.due_at
      from unnest($1::bigint[], $2::text[]) as asked (project_id, external_id)
      join users u using (project_id, external_id)
      join streak_runs r on r.user_id = u.id and r.due_at is not null`,
    values: [users.map(({ projectId }) => projectId), users.map(({ externalId }) => externalId)],
  });
  const found = new Map<string, OpenRun[]>();
  for (const row of rows) {
    const key = `${row.project_id} ${row.external_id}`;
    const { frequency, first_period: first, last_period: last } = row;
    found.set(key, [...(found.get(key) ?? []), { frequency, first, last, dueAt: row.due_at.getTime() }]);
  }
  return found;
}

/** The runs of a user that end in `from` or later, the first one first, and how many periods the longest of all has. */
export async function runsSince(
  db: Queryable,
  userId: string,
  frequency: Frequency,
  from: number,
): Promise<{ runs: KnownRun[]; longest: number }> {
  const { rows } = await db.query({
    name: 'runs-since',
    text: `select first_period, last_period, extended_at from streak_runs
      where user_id = $1 and frequency = $2 and last_period >= $3 order by first_period`,
    values: [userId, frequency, from],
  });
  const { rows: longest } = await db.query({
    name: 'longest-run',
    text: `select coalesce(max(last_period - first_period + 1), 0) as longest from streak_runs
      where user_id = $1 and frequency = $2`,
    values: [userId, frequency],
  });
  return {
    runs: rows.map(knownRun),
    longest: Number(longest[0].longest),
  };
}

function knownRun(row: { first_period: number; last_period: number; extended_at: Date | null }): KnownRun {
  return { first: row.first_period, last: row.last_period, extendedAt: row.extended_at?.getTime() ?? null };
}
