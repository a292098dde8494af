import type { Account, Level, System } from './types.ts';

/** The number that levels of this system are compared with. */
export function levelBasis(system: System, account: Account): bigint {
  return system.levelBasis === 'earned' ? account.earned : account.balance;
}

/** The highest level whose threshold is reached, or null. */
export function levelOf(system: System, account: Account): Level | null {
  const basis = levelBasis(system, account);
  return system.levels.findLast((level) => level.points <= basis) ?? null;
}

/** The lowest level not yet reached, or null. */
export function nextLevelOf(system: System, account: Account): Level | null {
  const basis = levelBasis(system, account);
  return system.levels.find((level) => level.points > basis) ?? null;
}
