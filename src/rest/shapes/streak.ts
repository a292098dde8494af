import { timestampDate } from '@bufbuild/protobuf/wkt';
import { AchievementService, type StreakPeriod } from '../../gen/guerdon/v1/achievement_service_pb.ts';
import { Frequency, type Streak } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { rpc } from '../route.ts';

const FREQUENCY: Record<Frequency, 'daily' | 'weekly' | 'monthly'> = {
  [Frequency.UNSPECIFIED]: 'daily',
  [Frequency.DAILY]: 'daily',
  [Frequency.WEEKLY]: 'weekly',
  [Frequency.MONTHLY]: 'monthly',
};

type StreakFields = Omit<Streak, '$typeName' | '$unknown'>;

/** Of a project that counts none. */
const NO_STREAK: StreakFields = {
  length: 0n,
  frequency: Frequency.DAILY,
  started: '',
  periodStart: '',
  periodEnd: '',
  expires: '',
};

/** What every answer says of a streak. */
export function streakShape({ length, frequency, started, periodStart, periodEnd, expires }: StreakFields) {
  return {
    length: Number(length),
    frequency: FREQUENCY[frequency],
    started: started || null,
    periodStart: periodStart || null,
    periodEnd: periodEnd || null,
    expires: expires || null,
  };
}

/** The streak of a known user as it stands, and the latest periods; of length 0 where the project counts none. */
export async function streakNow(
  call: Call,
  userId: string,
  periods?: number,
): Promise<{ streak: StreakFields; periods: StreakPeriod[]; extended: string | null }> {
  if ((await currentProgram(call)).program.streak === null) return { streak: NO_STREAK, periods: [], extended: null };
  const asked = { userId, ...(periods !== undefined && { periods }) };
  const found = await rpc(call, AchievementService.method.getUserStreak, asked);
  const { current: streak = NO_STREAK, periods: latest, extendedAt } = found;
  return { streak, periods: latest, extended: extendedAt ? timestampDate(extendedAt).toISOString() : null };
}
