import { invalid, type Violation } from '../errors.ts';
import {
  Aggregation,
  type GetUserPointsEventSummaryRequest,
  PointsService,
} from '../gen/guerdon/v1/points_service_pb.ts';
import { userBalance } from '../ledger/balance.ts';
import { sumsBetween } from '../ledger/summary.ts';
import { type Calendar, daysBetween, isDate, isZone, periodStarts, startOfDay, zoneAt } from '../rules/zone.ts';
import { route } from './call.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';

const DAYS_MAX = 400;

const CALENDAR: Record<Aggregation, Calendar> = {
  [Aggregation.UNSPECIFIED]: 'day',
  [Aggregation.DAILY]: 'day',
  [Aggregation.WEEKLY]: 'week',
  [Aggregation.MONTHLY]: 'month',
};

export const getUserPointsEventSummary = route(
  PointsService.method.getUserPointsEventSummary,
  (request) => [request.userId],
  async (call, request) => {
    const violations = violationsOf(request);
    if (violations.length > 0) throw invalid(violations);
    const { pool } = call.api.context;
    const index = await currentProgram(call);
    const system = systemOf(index, request.systemKey);
    const user = await userBalance(pool, call.projectId, request.userId, system.id);
    if (user === undefined) throw userUnknown(request.userId);
    const zone = request.tz || (zoneAt(user.zones, call.receivedAt) ?? index.program.timeZone);
    const dates = periodStarts(request.startDate, request.endDate, CALENDAR[request.aggregation] ?? 'day');
    const edges = dates.map((date) => startOfDay(date, zone));
    const [before = 0n, ...changes] = await sumsBetween(pool, user.userId, system.id, edges);
    let total = before;
    return {
      periods: changes.map((change, position) => {
        total += change;
        return { date: dates[position] as string, total, change };
      }),
    };
  },
);

function violationsOf({ startDate, endDate, tz }: GetUserPointsEventSummaryRequest): Violation[] {
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
