import type { SystemChange } from './decision.ts';
import { levelOf } from './level.ts';
import type { Account, System } from './types.ts';

export const EMPTY_ACCOUNT: Account = { balance: 0n, earned: 0n, version: 0n };

/** What became of an account, with the levels that one program gives to both ends. */
export function changeOf(system: System, before: Account, after: Account): SystemChange {
  return {
    systemId: system.id,
    before,
    after,
    levelBefore: levelOf(system, before)?.key ?? null,
    levelAfter: levelOf(system, after)?.key ?? null,
  };
}
