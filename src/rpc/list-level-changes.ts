import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { levelChangesOf } from '../ledger/summary.ts';
import { route } from './call.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from './page.ts';
import { userAndSystem } from './user-system.ts';

export const listLevelChanges = route(
  PointsService.method.listLevelChanges,
  (request) => [request.userId],
  async (call, request) => {
    const { userId, system } = await userAndSystem(call, request);
    const list = `level changes ${userId} ${system.id}`;
    const beforeVersion = pageCursor(list, request.pageToken, ID_CURSOR);
    const size = pageSize(request.pageSize);
    const page = { beforeVersion, limit: size + 1 };
    const found = await levelChangesOf(call.api.context.pool, userId, system.id, page);
    const changes = found.slice(0, size);
    return {
      changes: changes.map(({ before, after, at, version }) => ({
        fromKey: before ?? '',
        toKey: after ?? '',
        at: timestampFromMs(at),
        version,
      })),
      nextPageToken: found.length > size ? pageToken(list, String(changes.at(-1)?.version)) : '',
    };
  },
);
