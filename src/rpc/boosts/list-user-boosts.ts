import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { BoostStatus } from '../../gen/guerdon/v1/types_pb.ts';
import { route } from '../call.ts';
import { boostMessage } from '../convert.ts';
import { boostsNow, readByProgram, systemOf } from '../lookup.ts';
import { pageOf, UUID } from '../page.ts';

export const listUserBoosts = route(
  BoostService.method.listUserBoosts,
  (request) => [request.userId],
  (call, request) =>
    readByProgram(call, async (db, index) => {
      const system = systemOf(index, request.systemKey);
      const [standing] = await boostsNow(call, db, index, [system], request.userId);
      const { user, boosts } = standing as NonNullable<typeof standing>;
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
    }),
);
