import { EMPTY_ACCOUNT } from './account.ts';
import type { Reward } from './decision.ts';
import { levelBasis } from './level.ts';
import { clampToCap, post } from './limit.ts';
import type { Account, Program } from './types.ts';

/** How a level is named among those that have rewarded a user. */
export function levelName(systemId: string, levelKey: string): string {
  return `${systemId} ${levelKey}`;
}

export interface Rewarded {
  rewards: readonly Reward[];
  /** Levels that were reached and had rewarded the user before. */
  again: readonly string[];
}

interface Rise {
  systemId: string;
  before: Account;
  /** Absent: as it is in the end. */
  after?: Account;
}

/**
 * Gives what levels give for being reached for the first time, in `accounts`. `risen`: systems with their accounts as they
 * were before the change, and after it where others followed. A reward may reach a level itself; each gives once, so this
 * ends.
 */
export function giveRewards(
  program: Program,
  accounts: Map<string, Account>,
  risen: readonly Rise[],
  rewarded: ReadonlySet<string>,
): Rewarded {
  const systems = new Map(program.systems.map((system) => [system.id, system]));
  const rewards: Reward[] = [];
  const given = new Set<string>();
  const again = new Set<string>();
  const queue = [...risen];
  for (const { systemId, before, after } of queue) {
    const system = systems.get(systemId);
    if (system === undefined) continue;
    const from = levelBasis(system, before);
    for (const level of system.levels) {
      const reached =
        level.points > from && level.points <= levelBasis(system, after ?? accounts.get(systemId) ?? before);
      const name = levelName(systemId, level.key);
      if (!reached || level.rewards.length === 0 || given.has(name)) continue;
      if (rewarded.has(name)) {
        again.add(name);
        continue;
      }
      given.add(name);
      for (const { systemId: targetId, points } of level.rewards) {
        const target = systems.get(targetId);
        if (target === undefined) continue;
        const account = accounts.get(targetId) ?? EMPTY_ACCOUNT;
        const { amount } = clampToCap(target, account.balance, points);
        // What would leave the range of an account is not given: a level must not refuse what reached it.
        const posted = post(account, amount) ?? account;
        accounts.set(targetId, posted);
        queue.push({ systemId: targetId, before: account });
        rewards.push({
          systemId,
          levelKey: level.key,
          targetId,
          points,
          amount: posted.balance - account.balance,
          balanceAfter: posted.balance,
          version: posted === account || amount === 0n ? null : posted.version,
        });
      }
    }
  }
  return { rewards, again: [...again] };
}
