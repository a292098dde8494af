import { isConflict, isMachineryFailure } from '../db/failures.ts';
import type { Programs } from '../db/programs.ts';
import { inLanes, type Lanes, LanesBusyError, type Which } from '../db/serializable.ts';
import { setAside } from '../ledger/commands.ts';
import { post } from '../ledger/post.ts';
import { decideBatch } from './batch.ts';
import type { Command } from './command.ts';
import { type Outcome, readOutcomes } from './outcome.ts';
import { prepare } from './prepare.ts';

/** What applying needs of the process: connections, programs, and the clock in milliseconds. */
export interface Applying extends Lanes {
  programs: Programs;
  now: () => number;
  log: { error(details: object, message: string): void };
  /** Told after a commit that leaves something to be told to webhooks. */
  onAnnounced(): void;
}

/**
 * Applies the commands of some lanes in their order and returns the outcome of each, after the commit. Commands that were
 * applied before are answered again; one that cannot be applied is set aside alone. Throws only when the database or
 * the way to it fails, or lanes that were to be had at once are busy: then nothing is known, and the same commands may be given again.
 */
export async function applyBatch(applying: Applying, lanes: Which, commands: readonly Command[]): Promise<Outcome[]> {
  try {
    return await applyWhole(applying, lanes, commands);
  } catch (error) {
    if (isConflict(error) || isMachineryFailure(error) || error instanceof LanesBusyError) throw error;
    if (commands.length === 1) {
      const command = commands[0] as Command;
      applying.log.error({ err: error, command: command.id, kind: command.kind }, 'command set aside');
      // What is due stays due, and is asked for again.
      if (command.kind === 'settle') return [{ status: 'failed' }];
      await setAside(applying.pool, command, String((error as Error).message ?? error), applying.now());
      return [{ status: 'failed' }];
    }
    const middle = commands.length >> 1;
    const first = await applyBatch(applying, lanes, commands.slice(0, middle));
    return [...first, ...(await applyBatch(applying, lanes, commands.slice(middle)))];
  }
}

async function applyWhole(applying: Applying, lanes: Which, commands: readonly Command[]): Promise<Outcome[]> {
  const { decided, repeats, announced } = await inLanes(applying, lanes, {
    read: (client) => prepare(client, applying.programs, commands),
    write: async (client, prepared) => {
      const batch = await decideBatch(client, prepared, applying.now());
      const repeats = [...prepared.known, ...batch.repeats];
      const announced = batch.postings.announcements.length > 0;
      return { result: { decided: batch.outcomes, repeats, announced }, written: post(client, batch.postings) };
    },
  });
  if (announced) applying.onAnnounced();
  const repeated = await readOutcomes(applying.pool, repeats);
  return commands.map((command) => {
    const outcome = decided.get(command.id) ?? repeated.get(command.id);
    if (outcome === undefined) throw new Error(`no outcome for command ${command.id}`);
    return outcome;
  });
}
