import { GuerdonError } from '../errors.ts';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { usersByThreshold } from '../ledger/summary.ts';
import { route } from './call.ts';
import { levelMessage } from './convert.ts';
import { currentProgram, systemOf } from './lookup.ts';

export const getLevelSummary = route(PointsService.method.getLevelSummary, 'admin', async (call, request) => {
  const { id, key, levels, levelBasis } = systemOf(await currentProgram(call), request.systemKey);
  if (levels.length === 0) {
    throw new GuerdonError('FAILED_PRECONDITION', 'NO_LEVELS', `system_key: ${key} has no levels`);
  }
  const thresholds = levels.map(({ points }) => points);
  const users = await usersByThreshold(call.api.context.pool, call.projectId, id, levelBasis, thresholds);
  return {
    levels: levels.map((level, index) => ({ level: levelMessage(level), users: users.get(index + 1) ?? 0n })),
    usersBelow: users.get(0) ?? 0n,
  };
});
