import { instantText } from '../../db/pool.ts';
import type { BoostStatus, Open } from '../../rules/boost-schedule.ts';
import { formatDecimal, parseDecimal } from '../../rules/decimal.ts';
import type { BoostSnapshot } from '../../rules/program.ts';
import type { AttributeFilter, Rounding } from '../../rules/types.ts';
import type { Em } from '../next-program.ts';

/** A boost as it is stored, whoever it is for. */
export interface StoredBoost {
  boost: BoostSnapshot;
  systemId: string;
  /** Whom it is for; null: all users that match. */
  user: { id: string; externalId: string } | null;
  status: BoostStatus;
  open: Open;
  dueAt: number | null;
  createdAt: number;
  updatedAt: number;
  archivedAt: number | null;
}

const INSTANTS = [
  'start_time',
  'end_time',
  'starts_at',
  'ends_at',
  'due_at',
  'created_at',
  'updated_at',
  'archived_at',
];

/** The columns that both tables of boosts have, instants in milliseconds. */
export const BOOST_COLUMNS = `b.id, b.system_id, b.name, b.multiplier, b.rounding, b.exclusive, b.start_date::text,
  b.end_date::text, b.zone, b.status,
  ${INSTANTS.map((name) => `(extract(epoch from b.${name}) * 1000)::bigint as ${name}`).join(', ')}`;

/** As both drivers give it: numbers of any width as text. */
export interface BoostRow {
  id: string;
  system_id: string;
  name: string;
  multiplier: string;
  rounding: Rounding;
  exclusive: boolean;
  start_date: string | null;
  end_date: string | null;
  zone: 'user' | 'project' | null;
  status: BoostStatus;
  start_time: string | null;
  end_time: string | null;
  starts_at: string;
  ends_at: string | null;
  due_at: string | null;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
  /** Only where it has them. */
  user_attributes?: AttributeFilter[] | null;
  /** Only of a boost for one user. */
  user_id?: string | null;
  external_id?: string | null;
}

export function readStoredBoost(row: BoostRow): StoredBoost {
  return {
    boost: readSnapshot(row),
    systemId: String(row.system_id),
    user: row.user_id == null ? null : { id: String(row.user_id), externalId: row.external_id ?? '' },
    status: row.status,
    open: { startsAt: Number(row.starts_at), endsAt: instant(row.ends_at) },
    dueAt: instant(row.due_at),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    archivedAt: instant(row.archived_at),
  };
}

export function readSnapshot(row: BoostRow): BoostSnapshot {
  return {
    id: row.id,
    name: row.name,
    multiplier: formatDecimal(parseDecimal(row.multiplier)),
    rounding: row.rounding,
    exclusive: row.exclusive,
    userAttributes: row.user_attributes ?? [],
    window:
      row.start_date === null
        ? { kind: 'instants', startTime: Number(row.start_time), endTime: instant(row.end_time) }
        : { kind: 'dates', start: row.start_date, end: row.end_date, zone: row.zone ?? 'user' },
  };
}

function instant(milliseconds: string | null): number | null {
  return milliseconds === null ? null : Number(milliseconds);
}

/** The boosts of all users of a project that are not archived, by points system. */
export async function globalBoosts(em: Em, projectId: string): Promise<Map<string, BoostSnapshot[]>> {
  const rows: BoostRow[] = await em.execute(
    `select ${BOOST_COLUMNS}, b.user_attributes from global_boosts b
    where b.project_id = ? and b.archived_at is null order by b.id`,
    [projectId],
  );
  const bySystem = new Map<string, BoostSnapshot[]>();
  for (const row of rows) {
    const systemId = String(row.system_id);
    bySystem.set(systemId, [...(bySystem.get(systemId) ?? []), readSnapshot(row)]);
  }
  return bySystem;
}

/** Stores new boosts; gives the ids of those that were stored: an id that is taken is left alone. */
export async function insertBoosts(em: Em, projectId: string, boosts: readonly StoredBoost[]): Promise<Set<string>> {
  const stored = new Set<string>();
  for (const own of [true, false]) {
    const rows = boosts.filter((boost) => (boost.user !== null) === own).map((boost) => columnsOf(boost, projectId));
    if (rows.length === 0) continue;
    const columns = own ? ['user_id', ...COLUMNS] : ['project_id', 'user_attributes', ...COLUMNS];
    const table = own ? 'user_boosts' : 'global_boosts';
    const inserted: { id: string }[] = await em.execute(
      `insert into ${table} (${columns.join(', ')})
      select ${columns.join(', ')} from jsonb_populate_recordset(null::${table}, ?::jsonb) order by id
      on conflict do nothing returning id`,
      [JSON.stringify(rows)],
    );
    for (const { id } of inserted) stored.add(id);
  }
  return stored;
}

const CHANGING = [
  'name',
  'multiplier',
  'rounding',
  'exclusive',
  'start_time',
  'end_time',
  'start_date',
  'end_date',
  'zone',
  'status',
  'starts_at',
  'ends_at',
  'due_at',
  'updated_at',
  'archived_at',
];

/** What decides how a boost multiplies, and when. */
const DECIDING = ['multiplier', 'rounding', 'exclusive', 'start_time', 'end_time', 'start_date', 'end_date', 'zone'];
const columnsIn = (row: string) => DECIDING.map((name) => `${row}.${name}`).join(', ');

/** So many changes of one boost are remembered; what is left of older ones covers the time before. */
const CHANGES_REMEMBERED = 100;

/** Keeps what a boost was until this change, where that decides anything: ticks may be due that it multiplies. */
const REMEMBER = `earlier = case when (${columnsIn('b')}) is not distinct from (${columnsIn('n')}) then b.earlier
  else case when jsonb_array_length(b.earlier) < ${CHANGES_REMEMBERED} then b.earlier else b.earlier - 0 end
    || (select to_jsonb(w) from (select (extract(epoch from n.updated_at) * 1000)::bigint as until, ${columnsIn('b')}) w)
  end`;

const COLUMNS = ['id', 'system_id', 'created_at', ...CHANGING];

/** Writes stored boosts as they are now. */
export async function updateBoostRows(em: Em, projectId: string, boosts: readonly StoredBoost[]): Promise<void> {
  for (const own of [true, false]) {
    const rows = boosts.filter((boost) => (boost.user !== null) === own).map((boost) => columnsOf(boost, projectId));
    if (rows.length === 0) continue;
    const columns = own ? CHANGING : ['user_attributes', ...CHANGING];
    const [table, key] = own ? ['user_boosts', 'user_id'] : ['global_boosts', 'project_id'];
    const set = columns.map((column) => `${column} = n.${column}`);
    await em.execute(
      `update ${table} b set ${[...set, ...(own ? [REMEMBER] : [])].join(', ')}
      from jsonb_populate_recordset(null::${table}, ?::jsonb) n where b.${key} = n.${key} and b.id = n.id`,
      [JSON.stringify(rows)],
    );
  }
}

function columnsOf(stored: StoredBoost, projectId: string): Record<string, unknown> {
  const { boost, open } = stored;
  const { window } = boost;
  const text = (at: number | null) => (at === null ? null : instantText(at));
  return {
    project_id: projectId,
    user_id: stored.user?.id ?? null,
    id: boost.id,
    system_id: stored.systemId,
    name: boost.name,
    multiplier: boost.multiplier,
    rounding: boost.rounding,
    exclusive: boost.exclusive,
    user_attributes: boost.userAttributes,
    ...(window.kind === 'instants'
      ? { start_time: text(window.startTime), end_time: text(window.endTime) }
      : { start_date: window.start, end_date: window.end, zone: window.zone }),
    status: stored.status,
    starts_at: instantText(open.startsAt),
    ends_at: text(open.endsAt),
    due_at: text(stored.dueAt),
    created_at: instantText(stored.createdAt),
    updated_at: instantText(stored.updatedAt),
    archived_at: text(stored.archivedAt),
  };
}
