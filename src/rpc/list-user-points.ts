import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { userPoints } from './get-user-points.ts';
import { readByProgram } from './lookup.ts';
import { KEY_CURSOR, pageOf } from './page.ts';
import { userIdIn } from './user-system.ts';

export const listUserPoints = route(
  PointsService.method.listUserPoints,
  (request) => [request.userId],
  async (call, request) => {
    const { userId, awards = 0 } = request;
    await userIdIn(call, userId);
    return readByProgram(call, async (db, index) => {
      const { page, nextPageToken } = pageOf(
        'user points',
        request,
        index.program.systems,
        ({ key }) => key,
        KEY_CURSOR,
      );
      return { points: await userPoints(call, db, index, page, { userId, awards }), nextPageToken };
    });
  },
);
