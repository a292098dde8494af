import { type Orm, transact } from '../../db/orm.ts';
import { dueAt, type Open, reschedule } from '../../rules/boost-schedule.ts';
import type { Instant, ZonePeriod } from '../../rules/types.ts';
import type { Em } from '../next-program.ts';
import { openOf } from './boost-changes.ts';
import { BOOST_COLUMNS, type BoostRow, readStoredBoost, type StoredBoost, updateBoostRows } from './boost-rows.ts';

const CHANGES_MAX = 500;
const BOOSTS_MAX = 1_000;

interface Changed {
  project_id: string;
  user_id: string | null;
}

/**
 * Finds out anew when windows of days begin and end, after zones have changed: those of users, or of a project. One
 * transaction for a number of changes; gives how many there were.
 */
export async function resolveWindows(orm: Orm, now: Instant): Promise<number> {
  return transact(orm, async (em) => {
    const changes: Changed[] = await em.execute(
      `delete from zone_changes where id in (select id from zone_changes order by id limit ? for update skip locked)
      returning project_id, user_id`,
      [CHANGES_MAX],
    );
    const users = changes.flatMap(({ user_id }) => user_id ?? []).map(String);
    const projects = changes.filter(({ user_id }) => user_id === null).map(({ project_id }) => String(project_id));
    // A traveller's boost never goes back: no window opens twice. Where the project's zone changes, one may.
    await resolveThose(em, `${OWN('b.user_id')} and b.status <> 'finished'`, users, ({ status }, open) => ({
      status,
      dueAt: dueAt(status, open),
    }));
    const anew = ({ status }: StoredBoost, open: Open) => reschedule(status, open, now);
    await resolveThose(em, OWN('u.project_id'), projects, anew);
    await resolveThose(em, GLOBAL, projects, anew);
    return changes.length;
  });
}

const LIVE = 'b.start_date is not null and b.archived_at is null';
const AMONG = 'any(array(select jsonb_array_elements_text(?::jsonb)::bigint))';
const OWN = (
  column: string,
) => `select ${BOOST_COLUMNS}, u.id as user_id, u.external_id, u.zones, u.project_id, p.time_zone
  from user_boosts b join users u on u.id = b.user_id join projects p on p.id = u.project_id
  where ${column} = ${AMONG} and ${LIVE}`;
const GLOBAL = `select ${BOOST_COLUMNS}, b.user_attributes, null::bigint as user_id, b.project_id, p.time_zone
  from global_boosts b join projects p on p.id = b.project_id where b.project_id = ${AMONG} and ${LIVE}`;

type Row = BoostRow & { project_id: string; time_zone: string; zones?: ZonePeriod[] };

async function resolveThose(
  em: Em,
  sql: string,
  ids: readonly string[],
  stand: (stored: StoredBoost, open: Open) => Pick<StoredBoost, 'status' | 'dueAt'>,
): Promise<void> {
  if (ids.length === 0) return;
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const rows: Row[] = await em.execute(`${sql} and b.id > ? order by b.id limit ? for update of b`, [
      JSON.stringify(ids),
      after,
      BOOSTS_MAX,
    ]);
    const byProject = Map.groupBy(rows, (row) => String(row.project_id));
    for (const [projectId, own] of byProject) {
      await updateBoostRows(
        em,
        projectId,
        own.map((row) => {
          const stored = readStoredBoost(row);
          const user = stored.user === null ? null : { ...stored.user, zones: row.zones ?? [] };
          const open = openOf(stored.boost, user, row.time_zone);
          return { ...stored, open, ...stand(stored, open) };
        }),
      );
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < BOOSTS_MAX) return;
    after = last.id;
  }
}
