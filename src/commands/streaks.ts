import type { UserRow } from '../ledger/rows.ts';
import type { OpenRun } from '../ledger/streaks.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { overAt } from '../rules/streak.ts';
import type { Frequency, Instant, StreakChange, StreakRule, StreakRun } from '../rules/types.ts';
import { announce, type State } from './state.ts';

/**
 * Keeps what something done `at` an instant (null: it is not known) did to a streak, and has that told: after the loss of the
 * one before, if that is over by `now`. One that is over when it is written was never lost, since nobody had it.
 */
export function changeRuns(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  { period, before, after }: StreakChange,
  { at, now }: { at: Instant | null; now: Instant },
): void {
  const { frequency } = index.program.streak as StreakRule;
  loseRuns(state, index, user, now, before);
  const key = keyOf(user);
  const known = state.runs.get(key) ?? [];
  // What is done late in a period before the last one extends no streak that anybody sees grow.
  const extendedAt = period === after.last ? at : (known.find(({ last }) => last === after.last)?.extendedAt ?? null);
  state.runs.set(key, [...known.filter((run) => !isAmong(before, run)), { ...after, extendedAt }]);
  for (const { first } of before) if (first !== after.first) put(state, user, { frequency, first, last: null }, null);
  const open = (state.open.get(key) ?? []).some((run) => run.frequency === frequency && isAmong(before, run));
  const dueAt = overAt(after, frequency, user.zones, index.program.timeZone);
  put(state, user, { frequency, ...after, extendedAt }, open || dueAt > now ? dueAt : null);
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
  run: { frequency: Frequency; first: number; last: number | null; extendedAt?: Instant | null },
  dueAt: Instant | null,
): void {
  const { frequency, first, last } = run;
  const name = `${user.id} ${frequency} ${first}`;
  const extendedAt = run.extendedAt ?? state.changed.runs.get(name)?.extendedAt ?? null;
  state.changed.runs.set(name, { userId: user.id, frequency, first, last, dueAt, extendedAt });
  const rest = (state.open.get(keyOf(user)) ?? []).filter((one) => one.frequency !== frequency || one.first !== first);
  const open: OpenRun[] = last === null || dueAt === null ? [] : [{ frequency, first, last, dueAt }];
  state.open.set(keyOf(user), [...rest, ...open]);
}

function isAmong(runs: readonly StreakRun[], { first }: StreakRun): boolean {
  return runs.some((run) => run.first === first);
}

function keyOf({ projectId, externalId }: UserRow): string {
  return `${projectId} ${externalId}`;
}
