import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { GuerdonError } from '../../errors.ts';
import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { type KnownRun, runsSince } from '../../ledger/streaks.ts';
import { findUser } from '../../ledger/users.ts';
import { daysOf, periodOf } from '../../rules/streak.ts';
import type { StreakRun } from '../../rules/types.ts';
import { zoneAt } from '../../rules/zone.ts';
import { route } from '../call.ts';
import { currentProgram, userUnknown } from '../lookup.ts';
import { streakMessage } from './streak-message.ts';

const PERIODS_DEFAULT = 14;

export const getUserStreak = route(
  AchievementService.method.getUserStreak,
  (request) => [request.userId],
  async (call, request) => {
    const { pool } = call.api.context;
    const user = await findUser(pool, call.projectId, request.userId);
    if (user === undefined) throw userUnknown(request.userId);
    const { streak, timeZone } = (await currentProgram(call)).program;
    if (streak === null) throw new GuerdonError('FAILED_PRECONDITION', 'NO_STREAKS', 'the project counts no streaks');
    const { frequency } = streak;
    const zone = zoneAt(user.zones, call.receivedAt) ?? timeZone;
    const period = periodOf(call.receivedAt, zone, frequency);
    const count = request.periods ?? PERIODS_DEFAULT;
    const first = period - count + 1;
    const { runs, longest } = await runsSince(pool, user.id, frequency, Math.min(first, period - 1));
    const shown = Array.from({ length: count }, (_, index) => first + index);
    const current = currentRun(runs, period);
    return {
      current: streakMessage(current, frequency),
      ...(current?.extendedAt != null && { extendedAt: timestampFromMs(current.extendedAt) }),
      longest: BigInt(longest),
      periods: shown.map((one) => ({ ...daysOf(one, frequency), length: BigInt(lengthAt(runs, one)) })),
    };
  },
);

/** The run that goes on: one that reaches the period or the one before it. */
function currentRun(runs: readonly KnownRun[], period: number): KnownRun | undefined {
  return runs.findLast(({ first, last }) => last >= period - 1 && first <= period);
}

/** How long the streak was at the end of a period; 0: nothing was done in it. */
function lengthAt(runs: readonly StreakRun[], period: number): number {
  const run = runs.find(({ first, last }) => first <= period && period <= last);
  return run === undefined ? 0 : period - run.first + 1;
}
