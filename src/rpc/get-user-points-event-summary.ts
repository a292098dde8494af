import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { userBalance } from '../ledger/balance.ts';
import { sumsBetween } from '../ledger/summary.ts';
import { route } from './call.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';
import { checkPeriods, periodsOf } from './periods.ts';

export const getUserPointsEventSummary = route(
  PointsService.method.getUserPointsEventSummary,
  (request) => [request.userId],
  async (call, request) => {
    checkPeriods(request);
    const { pool } = call.api.context;
    const system = systemOf(await currentProgram(call), request.systemKey);
    const user = await userBalance(pool, {
      projectId: call.projectId,
      externalId: request.userId,
      systemId: system.id,
    });
    if (user === undefined) throw userUnknown(request.userId);
    const { dates, edges } = await periodsOf(call, user.zones, request);
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
