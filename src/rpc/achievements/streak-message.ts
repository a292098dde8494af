import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventStreakSchema } from '../../gen/guerdon/v1/event_service_pb.ts';
import { Frequency, type StreakSchema } from '../../gen/guerdon/v1/types_pb.ts';
import { daysOf, isExtended, lengthOf } from '../../rules/streak.ts';
import type * as rules from '../../rules/types.ts';

export const FREQUENCY: Record<rules.Frequency, Frequency> = {
  daily: Frequency.DAILY,
  weekly: Frequency.WEEKLY,
  monthly: Frequency.MONTHLY,
};

/** A run of periods; undefined: there is none. */
export function streakMessage(
  run: rules.StreakRun | undefined,
  frequency: rules.Frequency,
): MessageInitShape<typeof StreakSchema> {
  if (run === undefined) return { length: 0n, frequency: FREQUENCY[frequency] };
  const last = daysOf(run.last, frequency);
  return {
    length: BigInt(lengthOf(run)),
    frequency: FREQUENCY[frequency],
    started: daysOf(run.first, frequency).start,
    periodStart: last.start,
    periodEnd: last.end,
    expires: daysOf(run.last + 1, frequency).end,
  };
}

/** The streak that an event is part of; nothing for one that streaks do not count. */
export function eventStreak(
  change: rules.StreakChange | null,
  { streak }: rules.Program,
): { streak?: MessageInitShape<typeof EventStreakSchema> } {
  if (change === null || streak === null) return {};
  return { streak: { streak: streakMessage(change.after, streak.frequency), extended: isExtended(change) } };
}
