import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { route } from './call.ts';
import { userPoints } from './get-user-points.ts';
import { KEY_CURSOR, pageOf } from './page.ts';
import { standingsIn } from './standings.ts';
import { userIdIn } from './user-system.ts';

export const listUserPoints = route(
  PointsService.method.listUserPoints,
  (request) => [request.userId],
  async (call, request) => {
    const { userId, awards = 0 } = request;
    await userIdIn(call, userId);
    const pageIn = ({ program }: ProgramIndex) =>
      pageOf('user points', request, program.systems, ({ key }) => key, KEY_CURSOR);
    const { index, standings } = await standingsIn(call, { userId, awards }, (index) => pageIn(index).page);
    const points = [];
    // One after the other: there may be many, and what is due in each may be read from the same pool as all else.
    for (const standing of standings) points.push(await userPoints(call, userId, index, standing));
    return { points, nextPageToken: pageIn(index).nextPageToken };
  },
);
