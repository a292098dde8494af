import type { QueryResultRow } from 'pg';
import type { Queryable } from '../../db/pool.ts';
import type { ImportedEvent } from './store-rows.ts';

export type RowOutcome = 'pending' | 'applied' | 'duplicate' | 'refused';

/** A row of an import and what became of it. */
export interface FoundRow {
  line: number;
  outcome: RowOutcome;
  eventId: string | null;
  /** Why it was refused. */
  code: string | null;
  detail: unknown;
  /** As it was sent, where it is malformed. */
  source: string | null;
}

export interface RowsPage {
  afterLine: number;
  limit: number;
  /** Null: any. */
  outcome: RowOutcome | null;
}

/** Rows of an import in the order of their lines. */
export async function findRows(db: Queryable, importId: string, page: RowsPage): Promise<FoundRow[]> {
  const { afterLine, limit, outcome } = page;
  const exceptional = outcome === 'duplicate' || outcome === 'refused';
  const { rows } = await db.query(
    exceptional
      ? { name: 'find-import-exceptions', text: EXCEPTIONS, values: [importId, afterLine, limit, outcome] }
      : { name: 'find-import-rows', text: ALL, values: [importId, afterLine, limit, outcome] },
  );
  return rows.map(toRow);
}

const EXCEPTIONS = `select o.line, outcome, coalesce(event_id, case when outcome = 'refused' then r.id end) as event_id,
    code, detail, source
  from (select * from import_outcomes
    where import_id = $1 and line > $2 and outcome = $4 order by line limit $3) o
  left join import_rows r on r.import_id = $1 and r.line = o.line order by o.line`;

/** Rows that are in a part, and the malformed ones, which are in none. */
const ALL = `with page as (
    (select r.line, r.id, r.place <= p.through_place as applied
      from import_rows r join import_parts p on p.import_id = r.import_id and p.part = r.part
      where r.import_id = $1 and r.line > $2
        and ($4::text is null or (r.place > p.through_place) = ($4 = 'pending'))
        and ($4::text is distinct from 'applied' or not exists (
          select from import_outcomes o where o.import_id = r.import_id and o.line = r.line))
      order by r.line limit $3)
    union all
    (select line, null, false from import_outcomes
      where import_id = $1 and line > $2 and outcome = 'refused' and source is not null and $4::text is null
      order by line limit $3)
    order by line limit $3
  )
  select page.line, coalesce(o.outcome, case when applied then 'applied' else 'pending' end) as outcome,
    coalesce(o.event_id, case when o.outcome is null or o.outcome = 'refused' then page.id end) as event_id, o.code, o.detail, o.source
  from page left join import_outcomes o on o.import_id = $1 and o.line = page.line order by page.line`;

function toRow(row: QueryResultRow): FoundRow {
  return {
    line: Number(row.line),
    outcome: row.outcome,
    eventId: row.event_id,
    code: row.code,
    detail: row.detail,
    source: row.source,
  };
}

/** A refused row, for being tried again: either the event, or as it was sent. */
export type RefusedRow = { line: number } & ({ event: ImportedEvent; source: null } | { event: null; source: string });

export async function refusedRows(
  db: Queryable,
  importId: string,
  page: { afterLine: number; limit: number },
): Promise<RefusedRow[]> {
  const { rows } = await db.query({
    name: 'refused-import-rows',
    text: `select o.line, o.source, r.event from (
        select line, source from import_outcomes
        where import_id = $1 and outcome = 'refused' and line > $2 order by line limit $3) o
      left join import_rows r on r.import_id = $1 and r.line = o.line order by o.line`,
    values: [importId, page.afterLine, page.limit],
  });
  return rows.map((row) => ({ line: Number(row.line), event: row.event, source: row.source }));
}
