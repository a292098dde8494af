import { setTimeout as sleep } from 'node:timers/promises';
import { type Applying, applyBatch } from '../../commands/apply.ts';
import { type ImportCommand, laneOf } from '../../commands/command.ts';
import { importOutcome, type Outcome, readOutcomes } from '../../commands/outcome.ts';
import type { Catalog } from '../../db/catalog.ts';
import { isConflict, isMachineryFailure } from '../../db/failures.ts';
import type { Client, Pool } from '../../db/pool.ts';
import { refusalError } from '../../errors.ts';
import type { FileRow } from './read-file.ts';
import { readUser } from './read-user.ts';

/** What became of one row. */
export interface RowResult {
  line: number;
  /** The app's own id; empty: none could be read. */
  user: string;
  /** `same`: was imported before, with the same content. */
  outcome: 'imported' | 'same' | 'refused';
  /** Why it was refused. */
  reasons: string[];
  warnings: string[];
}

export interface Importing {
  projectId: string;
  lanes: number;
  applying: Applying;
  /** For what is read beside the lanes. */
  pool: Pool;
  catalog: Catalog;
  uuid: () => string;
  announce: boolean;
}

/** Most commands of a lane in one transaction. */
const BATCH_MAX = 250;

/** A lane that is held, or a database that is away, is tried so often, a second after another. */
const ATTEMPTS_MAX = 30;
const AGAIN_MS = 1_000;

export type Decide = (commands: readonly ImportCommand[]) => Promise<Map<string, Outcome>>;

/** Reads the users of some rows and has them decided; tells what became of each, in the order of the rows. */
export async function importRows(importing: Importing, rows: readonly FileRow[], decide: Decide): Promise<RowResult[]> {
  const { projectId, applying, pool, catalog, uuid, announce } = importing;
  const now = applying.now();
  const index = (await applying.programs.current(pool, [projectId])).get(projectId);
  if (index === undefined) throw new Error(`project ${projectId} is missing`);
  const declared = { catalog: await catalog.get(projectId), index, now };
  const read = rows.map(({ line, content, problem }) => {
    if (problem !== undefined) return { line, user: '', reasons: [problem], warnings: [] };
    const { user, profile, content: had, problems: reasons, warnings } = readUser(content, declared);
    if (reasons.length > 0) return { line, user, reasons, warnings };
    const command: ImportCommand = {
      kind: 'import',
      id: uuid(),
      projectId,
      user,
      profile,
      content: had,
      announce,
      receivedAt: now,
    };
    return { line, user, reasons, warnings, command };
  });
  const outcomes = await decide(read.flatMap(({ command }) => (command === undefined ? [] : [command])));
  return read.map(({ command, ...row }) => ({ ...row, ...judge(row.reasons, command && outcomes.get(command.id)) }));
}

function judge(reasons: string[], outcome: Outcome | undefined): Pick<RowResult, 'outcome' | 'reasons'> {
  if (outcome?.status === 'applied') return { outcome: 'imported', reasons };
  if (outcome?.status === 'replayed') return { outcome: 'same', reasons };
  if (outcome?.status === 'failed') reasons.push('could not be stored: the table poisoned says why');
  if (outcome?.status === 'refused') reasons.push(refusalError(outcome.code, outcome.detail).message);
  return { outcome: 'refused', reasons };
}

/** Applies commands in their lanes, like a worker: it makes no difference whether workers run besides. */
export function applyInLanes({ applying, lanes }: Importing): Decide {
  return async (commands) => {
    const byLane = Map.groupBy(commands, (command) => laneOf(command, lanes));
    const outcomes = new Map<string, Outcome>();
    const apply = async ([lane, all]: [number, ImportCommand[]]): Promise<void> => {
      for (let from = 0; from < all.length; from += BATCH_MAX) {
        const batch = all.slice(from, from + BATCH_MAX);
        const done = await again(() => applyBatch(applying, lane, batch));
        batch.forEach((command, index) => outcomes.set(command.id, done[index] as Outcome));
      }
    };
    await Promise.all([...byLane].map(apply));
    return outcomes;
  };
}

/** Ids of the attempts make sure that nothing is applied twice. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !(isConflict(error) || isMachineryFailure(error))) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

/**
 * Tells what applying would do, without doing it. What the file would have brought by then is kept in a temporary table of
 * this session, so that a user who comes twice is told as in earnest, however long the file is.
 */
export async function pretend(pool: Pool, client: Client): Promise<Decide> {
  await client.query(
    'create temporary table import_seen (user_id text primary key, id uuid not null, content jsonb not null)',
  );
  return async (commands) => {
    const outcomes = await readOutcomes(pool, commands);
    const fresh = commands.filter(({ id }) => !outcomes.has(id));
    await client.query(
      `insert into import_seen select * from unnest($1::text[], $2::uuid[], $3::jsonb[]) on conflict do nothing`,
      [fresh.map(({ user }) => user), fresh.map(({ id }) => id), fresh.map(({ content }) => JSON.stringify(content))],
    );
    const { rows } = await client.query(
      'select user_id, id, content from import_seen where user_id = any($1::text[])',
      [fresh.map(({ user }) => user)],
    );
    const seen = new Map(rows.map(({ user_id: user, id, content }) => [user, { id, content }]));
    for (const command of fresh) outcomes.set(command.id, importOutcome(command, { imported: seen.get(command.user) }));
    return outcomes;
  };
}
