import { invalid, type Violation } from '../errors.ts';
import { Aggregation, type GetUserPointsEventSummaryRequest } from '../gen/guerdon/v1/points_service_pb.ts';
import type { Instant, ZonePeriod } from '../rules/types.ts';
import { type Calendar, daysBetween, isDate, isZone, periodStarts, startOfDay, zoneAt } from '../rules/zone.ts';
import type { Call } from './call.ts';
import { currentProgram } from './lookup.ts';

const DAYS_MAX = 400;

const CALENDAR: Record<Aggregation, Calendar> = {
  [Aggregation.UNSPECIFIED]: 'day',
  [Aggregation.DAILY]: 'day',
  [Aggregation.WEEKLY]: 'week',
  [Aggregation.MONTHLY]: 'month',
};

type Asked = Pick<GetUserPointsEventSummaryRequest, 'aggregation' | 'startDate' | 'endDate' | 'tz'>;

/** Throws for periods that cannot be asked for. */
export function checkPeriods(asked: Asked): void {
  const violations = violationsOf(asked);
  if (violations.length > 0) throw invalid(violations);
}

/** The first days of the periods, and of the one after the last, with the instants at which they begin for a user. */
export async function periodsOf(
  call: Call,
  zones: readonly ZonePeriod[],
  asked: Asked,
): Promise<{ dates: string[]; edges: Instant[] }> {
  checkPeriods(asked);
  const zone = asked.tz || (zoneAt(zones, call.receivedAt) ?? (await currentProgram(call)).program.timeZone);
  const dates = periodStarts(asked.startDate, asked.endDate, CALENDAR[asked.aggregation] ?? 'day');
  return { dates, edges: dates.map((date) => startOfDay(date, zone)) };
}

function violationsOf({ startDate, endDate, tz }: Asked): Violation[] {
  const wrong = Object.entries({ start_date: startDate, end_date: endDate })
    .filter(([, date]) => !(isDate(date) && date >= '1900-01-01' && date <= '9998-12-31'))
    .map(([field]) => ({ field, description: 'must be a day YYYY-MM-DD from 1900-01-01 to 9998-12-31' }));
  const days = wrong.length > 0 ? 0 : daysBetween(startDate, endDate);
  return [
    ...wrong,
    ...(days < 0 ? [{ field: 'end_date', description: 'must not be before start_date' }] : []),
    ...(days > DAYS_MAX
      ? [{ field: 'end_date', description: `must be at most ${DAYS_MAX} days after start_date` }]
      : []),
    ...(tz === '' || isZone(tz)
      ? []
      : [{ field: 'tz', description: 'must be an IANA time zone such as "Europe/Berlin"' }]),
  ];
}
