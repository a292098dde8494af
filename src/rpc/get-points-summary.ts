import { invalid } from '../errors.ts';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { distribution } from '../ledger/summary.ts';
import { repeatedKeys } from '../program/boost.ts';
import { route } from './call.ts';
import { currentProgram, systemOf } from './lookup.ts';

const RANGES = 10;

export const getPointsSummary = route(PointsService.method.getPointsSummary, 'admin', async (call, request) => {
  const twice = repeatedKeys(request.userAttributes);
  if (twice.length > 0) throw invalid([{ field: 'user_attributes', description: `${twice[0]} stands there twice` }]);
  const system = systemOf(await currentProgram(call), request.systemKey);
  const { pool } = call.api.context;
  const { upTo, users } = await distribution(pool, call.projectId, system.id, request.userAttributes);
  const step = upTo / BigInt(RANGES);
  const ranges = Array.from({ length: RANGES }, (_, index) => ({
    from: BigInt(index) * step + 1n,
    to: BigInt(index + 1) * step,
    users: users.get(index + 1) ?? 0n,
  }));
  return { ranges: [{ from: 0n, to: 0n, users: users.get(0) ?? 0n }, ...ranges], usersBelowZero: users.get(-1) ?? 0n };
});
