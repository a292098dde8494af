import { instantText, type Queryable } from '../../db/pool.ts';
import type { Instant } from '../../rules/types.ts';
import { type EventCommand, laneOfHash, userHash } from '../command.ts';

export type ImportFormat = 'events' | 'ndjson' | 'csv';

/** What a row of an import says; the rest of the command is that of the import. */
export type ImportedEvent = Pick<
  EventCommand,
  'user' | 'profile' | 'metricId' | 'value' | 'attributes' | 'key' | 'occurredAt' | 'occurredAtSent'
>;

export interface NewImport {
  id: string;
  projectId: string;
  name: string;
  format: ImportFormat;
  dryRun: boolean;
  /** Who sends it, as the audit log names them. */
  actor: string;
  now: Instant;
}

/** An import whose rows are being received. */
export interface OpenImport {
  id: string;
  projectId: string;
  format: ImportFormat;
  dryRun: boolean;
  state: 'receiving' | 'applying' | 'done' | 'cancelled' | 'failed';
  lastLine: number;
  /** Of the rows up to `lastLine`. */
  hash: Buffer;
  createdAt: Instant;
}

/** Before the first row. */
const NO_ROWS = Buffer.alloc(32);

/** The import of this id, begun if there is none. */
export async function openImport(db: Queryable, begun: NewImport): Promise<OpenImport> {
  await db.query(
    `insert into imports (id, project_id, name, format, dry_run, actor, state, hash, created_at, updated_at)
      values ($1, $2, $3, $4, $5, $6, 'receiving', $7, $8, $8) on conflict (id) do nothing`,
    [begun.id, begun.projectId, begun.name, begun.format, begun.dryRun, begun.actor, NO_ROWS, instantText(begun.now)],
  );
  return readOpen(db, begun.id);
}

/** An import for the refused rows of another one, which has the hash of that, so that its rows get the same keys. */
export async function openRetry(
  db: Queryable,
  { id, retryOf, actor, now }: { id: string; retryOf: string; actor: string; now: Instant },
): Promise<OpenImport> {
  await db.query(
    `insert into imports (id, project_id, name, format, dry_run, retry_of, actor, state, hash, created_at, updated_at)
      select $1, project_id, name, format, dry_run, id, $3, 'receiving', hash, $4, $4 from imports where id = $2`,
    [id, retryOf, actor, instantText(now)],
  );
  return readOpen(db, id);
}

async function readOpen(db: Queryable, id: string): Promise<OpenImport> {
  const { rows } = await db.query('select * from imports where id = $1', [id]);
  const row = rows[0];
  return {
    id: row.id,
    projectId: row.project_id,
    format: row.format,
    dryRun: row.dry_run,
    state: row.state,
    lastLine: Number(row.last_line),
    hash: row.hash,
    createdAt: row.created_at.getTime(),
  };
}

export interface ReceivedRow {
  line: number;
  /** Of the event that it is to become. */
  id: string;
  event: ImportedEvent;
}

export interface MalformedRow {
  line: number;
  code: string;
  detail: object;
  source: string;
}

export interface Block {
  rows: readonly ReceivedRow[];
  malformed: readonly MalformedRow[];
  lastLine: number;
  /** Of all rows up to `lastLine`. */
  hash: Buffer;
}

/** Users of a dry run are dealt into so many parts, each of which is decided in memory. */
const DRY_PARTS = 1_024;

/** Rows of one user are in one part: those of a lane, or for a dry run of a fraction of all users. */
function partOf({ dryRun }: OpenImport, user: number, lanes: number): number {
  return laneOfHash(user, dryRun ? DRY_PARTS : lanes);
}

/**
 * Where in its part a row is applied: rows of one user after each other, in the order of their lines, so that what is known of
 * a user is read and written once for many of them.
 */
function placeOf(user: number, line: number): bigint {
  return (BigInt(user >>> 1) << 32n) | BigInt(line);
}

/**
 * Stores the next rows of an import, whole or not at all. False: somebody else has stored rows meanwhile, or it is not being
 * received any more.
 */
export async function storeBlock(
  db: Queryable,
  open: OpenImport,
  block: Block,
  { lanes, now }: { lanes: number; now: Instant },
): Promise<boolean> {
  const users = block.rows.map(({ event }) => userHash({ projectId: open.projectId, user: event.user }));
  const parts = users.map((user) => partOf(open, user, lanes));
  const places = block.rows.map(({ line }, index) => placeOf(users[index] as number, line));
  const lastPlaces = new Map<number, bigint>();
  places.forEach((place, index) => {
    const part = parts[index] as number;
    if (place > (lastPlaces.get(part) ?? 0n)) lastPlaces.set(part, place);
  });
  const { rowCount } = await db.query({
    name: 'store-import-block',
    text: `with stored as (
        update imports set rows = rows + $3, invalid = invalid + $4, last_line = $5, hash = $6, updated_at = $7
        where id = $1 and state = 'receiving' and last_line = $2 returning id
      ), parts as (
        insert into import_parts as p (import_id, part, last_place)
        select stored.id, part, place from stored, unnest($8::smallint[], $9::bigint[]) as a (part, place)
        on conflict (import_id, part) do update set last_place = greatest(p.last_place, excluded.last_place)
      ), good as (
        insert into import_rows (import_id, part, place, line, id, event)
        select stored.id, a.* from stored,
          unnest($10::smallint[], $11::bigint[], $12::bigint[], $13::uuid[], $14::json[]) as a
      ), malformed as (
        insert into import_outcomes (import_id, line, outcome, code, detail, source)
        select stored.id, line, 'refused', code, detail, source
        from stored, unnest($15::bigint[], $16::text[], $17::jsonb[], $18::text[]) as a (line, code, detail, source)
      )
      select from stored`,
    values: [
      open.id,
      open.lastLine,
      block.rows.length + block.malformed.length,
      block.malformed.length,
      block.lastLine,
      block.hash,
      instantText(now),
      [...lastPlaces.keys()],
      [...lastPlaces.values()],
      parts,
      places,
      block.rows.map(({ line }) => line),
      block.rows.map(({ id }) => id),
      block.rows.map(({ event }) => JSON.stringify(event)),
      block.malformed.map(({ line }) => line),
      block.malformed.map(({ code }) => code),
      block.malformed.map(({ detail }) => JSON.stringify(detail)),
      block.malformed.map(({ source }) => source),
    ],
  });
  return rowCount === 1;
}

/** All rows are stored; from then on they are applied. */
export async function finishReceiving(db: Queryable, { id, lastLine }: OpenImport, now: Instant): Promise<boolean> {
  const { rowCount } = await db.query(
    `update imports set state = 'applying', received_at = $3, updated_at = $3
      where id = $1 and state = 'receiving' and last_line = $2`,
    [id, lastLine, instantText(now)],
  );
  return rowCount === 1;
}

/** What was sent cannot be read: the import fails, and nothing of it is applied. */
export async function failReceiving(db: Queryable, id: string, error: string, now: Instant): Promise<void> {
  await db.query(
    `update imports set state = 'failed', error = $2, finished_at = $3, updated_at = $3
      where id = $1 and state = 'receiving'`,
    [id, error, instantText(now)],
  );
}
