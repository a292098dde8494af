import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import type { EventCommand } from '../command.ts';
import type { ImportedEvent } from './store-rows.ts';
import type { Verdict } from './verdict.ts';

/** Rows of one import that one worker applies for a while, in their order. */
export interface ClaimedPart {
  importId: string;
  part: number;
  projectId: string;
  dryRun: boolean;
  /** Of the rows, which gives keys to those that have none. */
  hash: Buffer;
  receivedAt: Instant;
  /** Rows up to this place have their outcomes. */
  throughPlace: bigint;
}

/** A worker that dies leaves its parts to others after so many seconds. */
const CLAIM_S = 5;

/**
 * Claims parts of imports that are to be applied and that nobody works on, those of the oldest import first. The claim saves
 * work and no more: who applies rows that another worker has applied finds them known, in the same order.
 */
export async function claimParts(db: Queryable, worker: string, limit: number): Promise<ClaimedPart[]> {
  const { rows } = await db.query({
    name: 'claim-import-parts',
    text: `with due as (
        select p.import_id, p.part, i.project_id, i.dry_run, i.hash, i.created_at
        from imports i join import_parts p on p.import_id = i.id
        where i.state = 'applying' and p.through_place < p.last_place
          and (p.claimed_until is null or p.claimed_until < now())
        order by i.created_at, i.id, p.part limit $2 for update of p skip locked
      )
      update import_parts p set claimed_by = $1, claimed_until = now() + interval '${CLAIM_S} s'
      from due where p.import_id = due.import_id and p.part = due.part
      returning p.import_id, p.part, p.through_place, due.project_id, due.dry_run, due.hash, due.created_at`,
    values: [worker, limit],
  });
  return rows.map((row) => ({
    importId: row.import_id,
    part: row.part,
    projectId: row.project_id,
    dryRun: row.dry_run,
    hash: row.hash,
    receivedAt: row.created_at.getTime(),
    throughPlace: BigInt(row.through_place),
  }));
}

/** Gives a claim back, so that others need not wait for its end. */
export async function leavePart(db: Queryable, { importId, part }: ClaimedPart, worker: string): Promise<void> {
  await db.query(
    `update import_parts set claimed_by = null, claimed_until = null
      where import_id = $1 and part = $2 and claimed_by = $3`,
    [importId, part, worker],
  );
}

export interface RowToApply {
  line: number;
  place: bigint;
  command: EventCommand;
}

/** The next rows of a part after a place, in their order; none once the import is cancelled. */
export async function nextRows(
  db: Queryable,
  claimed: ClaimedPart,
  afterPlace: bigint,
  limit: number,
): Promise<RowToApply[]> {
  const { rows } = await db.query({
    name: 'next-import-rows',
    text: `select r.place, r.line, r.id, r.event from import_rows r
      where r.import_id = $1 and r.part = $2 and r.place > $3
        and (select state from imports where id = $1) = 'applying'
      order by r.place limit $4`,
    values: [claimed.importId, claimed.part, afterPlace, limit],
  });
  return rows.map((row) => ({
    line: Number(row.line),
    place: BigInt(row.place),
    command: toCommand(claimed, Number(row.line), row.id, row.event),
  }));
}

/** A row without a key is named after the content of the whole import and its line: the same file gives the same names. */
function toCommand(
  { projectId, receivedAt, hash }: ClaimedPart,
  line: number,
  id: string,
  event: ImportedEvent,
): EventCommand {
  const key = event.key ?? `import-${hash.toString('base64url')}-${line}`;
  return { kind: 'event', id, projectId, receivedAt, ...event, key };
}

/**
 * Keeps what became of the rows up to the last of them, and renews the claim. False: another worker has kept it, so what
 * comes next is with that one.
 */
export async function recordOutcomes(
  db: Queryable,
  claimed: ClaimedPart,
  worker: string,
  rows: readonly RowToApply[],
  verdicts: readonly Verdict[],
): Promise<boolean> {
  const told = rows.map(({ line }, index) => ({ line, ...(verdicts[index] as Verdict) }));
  const exceptions = told.filter(({ outcome }) => outcome !== 'applied');
  const count = (wanted: string) => told.filter(({ outcome }) => outcome === wanted).length;
  const { rowCount } = await db.query({
    name: 'record-import-outcomes',
    text: `with moved as (
        update import_parts set through_place = $4, applied = applied + $5, duplicate = duplicate + $6,
          refused = refused + $7, claimed_by = $8, claimed_until = now() + interval '${CLAIM_S} s'
        where import_id = $1 and part = $2 and through_place = $3 returning import_id
      ), told as (
        insert into import_outcomes (import_id, part, line, outcome, event_id, code, detail)
        select import_id, $2, a.* from moved, unnest($9::bigint[], $10::text[], $11::uuid[], $12::text[], $13::jsonb[]) as a
      )
      select from moved`,
    values: [
      claimed.importId,
      claimed.part,
      claimed.throughPlace,
      rows.at(-1)?.place,
      count('applied'),
      count('duplicate'),
      count('refused'),
      worker,
      exceptions.map(({ line }) => line),
      exceptions.map(({ outcome }) => outcome),
      exceptions.map(({ eventId }) => eventId),
      exceptions.map(({ code }) => code),
      exceptions.map(({ detail }) => detail && JSON.stringify(detail)),
    ],
  });
  return rowCount === 1;
}

/** Imports of which every row has its outcome are done. */
export async function finishImports(db: Queryable, now: Instant): Promise<void> {
  await db.query({
    name: 'finish-imports',
    text: `update imports i set state = 'done', finished_at = $1, updated_at = $1
      where state = 'applying' and not exists (
        select from import_parts p where p.import_id = i.id and p.through_place < p.last_place)`,
    values: [instantText(now)],
  });
}

/** Imports whose sender has not been heard of since `before` fail. */
export async function failAbandoned(db: Queryable, before: Instant, now: Instant): Promise<void> {
  await db.query(
    `update imports set state = 'failed', error = 'it was not sent to its end', finished_at = $2, updated_at = $2
      where state = 'receiving' and updated_at < $1`,
    [instantText(before), instantText(now)],
  );
}
