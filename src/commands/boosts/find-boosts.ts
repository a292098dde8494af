import type { Queryable } from '../../db/pool.ts';
import type { BoostStatus } from '../../rules/boost-schedule.ts';
import type { Em } from '../next-program.ts';
import { BOOST_COLUMNS, type BoostRow, readStoredBoost, type StoredBoost } from './boost-rows.ts';

const GLOBAL = `select ${BOOST_COLUMNS}, b.user_attributes, null::bigint as user_id, null as external_id
  from global_boosts b`;
const OWN = `select ${BOOST_COLUMNS}, null::jsonb as user_attributes, u.id as user_id, u.external_id
  from user_boosts b join users u on u.id = b.user_id`;

/** Boosts of a project by their ids, archived ones included, in the order of the ids. */
export async function boostsByIds(db: Queryable, projectId: string, ids: readonly string[]): Promise<StoredBoost[]> {
  const { rows } = await db.query({
    name: 'boosts-by-ids',
    text: `(${GLOBAL} where b.id = any($2::uuid[]) and b.project_id = $1)
      union all (${OWN} where b.id = any($2::uuid[]) and u.project_id = $1) order by id`,
    values: [projectId, ids],
  });
  return (rows as BoostRow[]).map(readStoredBoost);
}

/** The same inside a transaction; `lock`: nobody else can change them until it ends. */
export async function boostsIn(
  em: Em,
  projectId: string,
  ids: readonly string[],
  lock = false,
): Promise<Map<string, StoredBoost>> {
  const found = new Map<string, StoredBoost>();
  for (const sql of [`${GLOBAL} where b.project_id = ?`, `${OWN} where u.project_id = ?`]) {
    const rows: BoostRow[] = await em.execute(
      `${sql} and b.id = any(array(select jsonb_array_elements_text(?::jsonb)::uuid)) order by b.id
      ${lock ? 'for update of b' : ''}`,
      [projectId, JSON.stringify(ids)],
    );
    for (const row of rows) found.set(row.id, readStoredBoost(row));
  }
  return found;
}

/** Which of these ids some boost has, of whatever project: an id names one boost in the whole deployment. */
export async function takenIds(em: Em, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows: { id: string }[] = await em.execute(
    `with asked as (select jsonb_array_elements_text(?::jsonb)::uuid as id)
    select id from user_boosts join asked using (id) union select id from global_boosts join asked using (id)`,
    [JSON.stringify(ids)],
  );
  return new Set(rows.map(({ id }) => id));
}

export interface BoostFilter {
  /** The app's own id; null: of any user and of none. */
  user: string | null;
  globalOnly: boolean;
  status: BoostStatus | null;
  archived: boolean;
  afterId: string;
  limit: number;
}

/** Boosts of a points system of the project, in the order of their ids. */
export async function listBoosts(
  db: Queryable,
  projectId: string,
  systemId: string,
  filter: BoostFilter,
): Promise<StoredBoost[]> {
  if (filter.globalOnly && filter.user !== null) return [];
  const where = `b.system_id = $1 and b.id > $2 and ($3::text is null or b.status = $3)
    and ($4::boolean or b.archived_at is null)`;
  const last = 'order by b.id limit $5';
  const values: unknown[] = [systemId, filter.afterId, filter.status, filter.archived, filter.limit, projectId];
  if (filter.user !== null) values.push(filter.user);
  const global = `(${GLOBAL} where ${where} and b.project_id = $6 ${last})`;
  const own = `(${OWN} where ${where} and u.project_id = $6 ${filter.user === null ? '' : 'and u.external_id = $7'} ${last})`;
  const parts = filter.globalOnly ? [global] : filter.user === null ? [global, own] : [own];
  const { rows } = await db.query(`select * from (${parts.join(' union all ')}) found order by id limit $5`, values);
  return (rows as BoostRow[]).map(readStoredBoost);
}
