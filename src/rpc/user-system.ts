import { userIdOf } from '../ledger/balance.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { System } from '../rules/types.ts';
import type { Call } from './call.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';

/** The internal id of a known user; else NOT_FOUND. */
export async function userIdIn(call: Call, user: string): Promise<string> {
  const userId = await userIdOf(call.api.context.pool, call.projectId, user);
  if (userId === undefined) throw userUnknown(user);
  return userId;
}

/** The points system and the known user that a request names; else NOT_FOUND. */
export async function userAndSystem(
  call: Call,
  request: { userId: string; systemKey: string },
): Promise<{ userId: string; system: System; index: ProgramIndex }> {
  const index = await currentProgram(call);
  const system = systemOf(index, request.systemKey);
  return { userId: await userIdIn(call, request.userId), system, index };
}
