import { AchievementService } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import type { EventStreak } from '../../gen/guerdon/v1/event_service_pb.ts';
import { Frequency, type Streak } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { rpc } from '../route.ts';

const FREQUENCY: Record<Frequency, string> = {
  [Frequency.UNSPECIFIED]: 'daily',
  [Frequency.DAILY]: 'daily',
  [Frequency.WEEKLY]: 'weekly',
  [Frequency.MONTHLY]: 'monthly',
};

/** Where there is none, also in a project that counts none. */
const NO_STREAK = {
  length: 0,
  frequency: 'daily',
  started: null,
  periodStart: null,
  periodEnd: null,
  expires: null,
};

function streakShape(streak: Streak | undefined) {
  if (streak === undefined) return NO_STREAK;
  const { length, frequency, started, periodStart, periodEnd, expires } = streak;
  return {
    length: Number(length),
    frequency: FREQUENCY[frequency],
    started: started || null,
    periodStart: periodStart || null,
    periodEnd: periodEnd || null,
    expires: expires || null,
  };
}

/** The streak in the answer to an event: the one that the event is part of, or else the user's as it stands. */
export async function eventStreakShape(call: Call, userId: string, event: EventStreak | undefined) {
  if (event !== undefined) return { ...streakShape(event.streak), extended: event.extended };
  const { streakHistory, ...current } = await userStreakShape(call, userId, 0);
  return { ...current, extended: false };
}

/** The streak of a known user, with so many of the latest periods. */
export async function userStreakShape(call: Call, userId: string, periods?: number) {
  if ((await currentProgram(call)).program.streak === null) return { ...NO_STREAK, streakHistory: [] };
  const asked = { userId, ...(periods !== undefined && { periods }) };
  const found = await rpc(call, AchievementService.method.getUserStreak, asked);
  return {
    ...streakShape(found.current),
    streakHistory: found.periods.map(({ start, end, length }) => ({
      periodStart: start,
      periodEnd: end,
      length: Number(length),
    })),
  };
}
