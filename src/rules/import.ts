import { levelBasis } from './level.ts';
import { periodOf } from './streak.ts';
import type { Account, Frequency, StreakRun, System } from './types.ts';

/** The run that a streak of so many periods is, up to and with that of its last day `YYYY-MM-DD`. */
export function importedRun({ length, lastDay }: { length: number; lastDay: string }, frequency: Frequency): StreakRun {
  const last = periodOf(Date.parse(`${lastDay}T12:00:00Z`), 'UTC', frequency);
  return { first: last - length + 1, last };
}

/** Keys of the levels that give nothing any more to a user who comes with this account: they were reached elsewhere. */
export function reachedElsewhere(system: System, account: Account): string[] {
  const basis = levelBasis(system, account);
  return system.levels.filter(({ rewards, points }) => rewards.length > 0 && points <= basis).map(({ key }) => key);
}
