import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { balanceAt } from '../ledger/summary.ts';
import { route } from './call.ts';
import { checkInstants } from './page.ts';
import { userAndSystem } from './user-system.ts';

export const getUserBalanceAt = route(
  PointsService.method.getUserBalanceAt,
  (request) => [request.userId],
  async (call, request) => {
    checkInstants({ at: request.at });
    const { userId, system } = await userAndSystem(call, request);
    const found = await balanceAt(call.api.context.pool, userId, system.id, timestampMs(request.at as Timestamp));
    return { total: found?.balance ?? 0n, version: found?.version ?? 0n };
  },
);
