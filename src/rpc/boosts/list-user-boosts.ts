import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { BoostStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { route } from '../call.ts';
import { boostMessage } from '../convert.ts';
import { pageOf, UUID } from '../page.ts';
import { standingIn } from '../standings.ts';

export const listUserBoosts = route(
  BoostService.method.listUserBoosts,
  (request) => [request.userId],
  async (call, request) => {
    const { index, standing } = await standingIn(call, { userId: request.userId, awards: 0 }, request.systemKey);
    const { system, user, boosts } = standing;
    const name = JSON.stringify(['user boosts', user.userId, system.id]);
    const { page, nextPageToken } = pageOf(name, request, boosts, ({ id }) => id, UUID);
    return {
      boosts: page.map((boost) => ({
        ...boostMessage(boost, user.zones, index.program.timeZone),
        status: BoostStatus.ACTIVE,
        systemKey: system.key,
      })),
      nextPageToken,
    };
  },
);
