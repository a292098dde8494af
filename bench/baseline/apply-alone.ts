import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { decideBatch } from '../../src/commands/batch.ts';
import type { Command } from '../../src/commands/command.ts';
import { type Outcome, readOutcomes } from '../../src/commands/outcome.ts';
import { prepare } from '../../src/commands/prepare.ts';
import { isConflict, isRace } from '../../src/db/failures.ts';
import type { Client, Pool } from '../../src/db/pool.ts';
import type { Programs } from '../../src/db/programs.ts';
import { post } from '../../src/ledger/post.ts';

const BACKOFF_START_MS = 2;
const BACKOFF_MAX_MS = 200;

export interface ApplyingAlone {
  pool: Pool;
  programs: Programs;
  now: () => number;
  random: () => number;
  /** Attempts that ended in a conflict. */
  conflicts: number;
}

/**
 * Applies one command in one serializable transaction of its own, again with jitter while it meets conflicts, until it is
 * committed. Nothing is held while it waits to try again.
 */
export async function applyAlone(applying: ApplyingAlone, command: Command): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryAlone(applying, command);
    } catch (error) {
      if (!isConflict(error) && !isRace(error)) throw error;
      applying.conflicts += 1;
      await sleep(applying.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_START_MS * 2 ** attempt));
    }
  }
}

async function tryAlone({ pool, programs, now }: ApplyingAlone, command: Command): Promise<Outcome> {
  const client = await pool.connect();
  const noting = noteFailures(client);
  let lost: Error | undefined;
  try {
    return await inTransaction(noting.client, programs, command, now());
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (lost = failure));
    throw noting.first() ?? error;
  } finally {
    client.release(lost);
  }
}

/** Statements go out together where none needs the answer of another, as in Guerdon's own transactions. */
async function inTransaction(client: Client, programs: Programs, command: Command, now: number): Promise<Outcome> {
  const begun = client.query('begin isolation level serializable');
  const [, prepared] = await Promise.all([begun, prepare(client, programs, [command])]);
  const batch = await decideBatch(client, prepared, now);
  const repeats = [...prepared.known, ...batch.repeats];
  const repeated = repeats.length === 0 ? new Map<string, Outcome>() : await readOutcomes(client, repeats);
  await Promise.all([post(client, batch.postings), client.query('commit')]);
  const outcome = batch.outcomes.get(command.id) ?? repeated.get(command.id);
  if (outcome === undefined) throw new Error(`no outcome for command ${command.id}`);
  return outcome;
}

/** Of statements under way together, the first to fail says why; all behind it fail because the transaction has. */
function noteFailures(client: Client): { client: Client; first(): unknown } {
  let first: unknown;
  const query = (config: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> => {
    const result = client.query(config as string, values);
    result.catch((error: unknown) => {
      first ??= error;
    });
    return result;
  };
  return { client: { query } as Client, first: () => first };
}
