import type { UserRow } from '../ledger/rows.ts';
import type { OpenRun } from '../ledger/streaks.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { overAt } from '../rules/streak.ts';
import type { Frequency, Instant, StreakChange, StreakRule, StreakRun } from '../rules/types.ts';
import { announce, type State } from './state.ts';

/**
 * Keeps what something done did to a streak, and has that told: after the loss of the one before, if that is over `at`. One
 * that is over when it is written was never lost, since nobody had it.
 */
export function changeRuns(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  { before, after }: StreakChange,
  at: Instant,
): void {
  const { frequency } = index.program.streak as StreakRule;
  loseRuns(state, index, user, at, before);
  const key = keyOf(user);
  const rest = (state.runs.get(key) ?? []).filter((run) => !before.some(({ first }) => first === run.first));
  state.runs.set(key, [...rest, after]);
  for (const { first } of before) if (first !== after.first) put(state, user, { frequency, first, last: null }, null);
  const open = (state.open.get(key) ?? []).some((run) => run.frequency === frequency && isAmong(before, run));
  const dueAt = overAt(after, frequency, user.zones, index.program.timeZone);
  put(state, user, { frequency, ...after }, open || dueAt > at ? dueAt : null);
  announce(state, user, before.length === 0 ? 'streak_started' : 'streak_extended', { frequency, ...after });
}

/** Tells of the runs of a user that are over `at`, once of each, but for those that are just being extended. */
export function loseRuns(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  at: Instant,
  extended: readonly StreakRun[] = [],
): void {
  const { streak, timeZone } = index.program;
  for (const run of state.open.get(keyOf(user)) ?? []) {
    const { frequency, first, last } = run;
    if (streak?.frequency !== frequency) {
      // The project counts otherwise, and takes nothing from anybody by that.
      put(state, user, run, null);
      continue;
    }
    if (isAmong(extended, run)) continue;
    const dueAt = overAt(run, frequency, user.zones, timeZone);
    if (dueAt > at) {
      if (dueAt !== run.dueAt) put(state, user, run, dueAt);
      continue;
    }
    put(state, user, run, null);
    announce(state, user, 'streak_lost', { frequency, first, last });
  }
}

/** Has the workers find out anew when the runs of a user are over, since the zone has changed. */
export function reviewRuns(state: State, user: UserRow): void {
  for (const run of state.open.get(keyOf(user)) ?? []) put(state, user, run, state.now);
}

function put(
  state: State,
  user: UserRow,
  { frequency, first, last }: { frequency: Frequency; first: number; last: number | null },
  dueAt: Instant | null,
): void {
  state.changed.runs.set(`${user.id} ${frequency} ${first}`, { userId: user.id, frequency, first, last, dueAt });
  const rest = (state.open.get(keyOf(user)) ?? []).filter((run) => run.frequency !== frequency || run.first !== first);
  const open: OpenRun[] = last === null || dueAt === null ? [] : [{ frequency, first, last, dueAt }];
  state.open.set(keyOf(user), [...rest, ...open]);
}

function isAmong(runs: readonly StreakRun[], { first }: StreakRun): boolean {
  return runs.some((run) => run.first === first);
}

function keyOf({ projectId, externalId }: UserRow): string {
  return `${projectId} ${externalId}`;
}
