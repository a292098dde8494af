import { GuerdonError } from '../errors.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { System } from '../rules/types.ts';
import type { Call } from './call.ts';

/** The program in force. */
export async function currentProgram(call: Call): Promise<ProgramIndex> {
  const { programs, pool } = call.api.context;
  return (await programs.current(pool, [call.projectId])).get(call.projectId) as ProgramIndex;
}

/** A points system of the program in force; NOT_FOUND for any other key. */
export function systemOf(index: ProgramIndex, key: string): System {
  const system = index.systemByKey.get(key);
  if (system === undefined) {
    throw new GuerdonError('NOT_FOUND', 'POINTS_SYSTEM_UNKNOWN', `system_key: no points system ${JSON.stringify(key)}`);
  }
  return system;
}

export function userUnknown(user: string): GuerdonError {
  return new GuerdonError('NOT_FOUND', 'USER_UNKNOWN', `user_id: no user ${JSON.stringify(user)}`);
}

/** Keys of all points systems that the project ever had, by id. */
export async function systemKeys(call: Call): Promise<ReadonlyMap<string, string>> {
  const { rows } = await call.api.context.pool.query({
    name: 'system-keys',
    text: 'select id, key from points_systems where project_id = $1',
    values: [call.projectId],
  });
  return new Map(rows.map((row) => [row.id, row.key]));
}
