import { GuerdonError } from '../../errors.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { System } from '../../rules/types.ts';
import { numberOf } from '../ids.ts';

/** The points system that a path names by its id; else NOT_FOUND. */
export async function systemIn(call: Call, path: Readonly<Record<string, string>>): Promise<System> {
  return systemById(call, path.systemId ?? '');
}

export async function systemById(call: Call, id: string): Promise<System> {
  const number = numberOf('points_system', id);
  const system = number === undefined ? undefined : (await currentProgram(call)).systemById.get(number);
  if (system === undefined) {
    throw new GuerdonError('NOT_FOUND', 'POINTS_SYSTEM_UNKNOWN', 'Points system not found by ID');
  }
  return system;
}
