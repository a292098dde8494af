import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pointsNow } from '../commands/points-now.ts';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { type Call, route } from './call.ts';
import { awardMessage, boostMessage, levels } from './convert.ts';
import { type Standing, standingIn } from './standings.ts';

const AWARDS_DEFAULT = 10;

export const getUserPoints = route(
  PointsService.method.getUserPoints,
  (request) => [request.userId],
  async (call, { userId, systemKey, awards = AWARDS_DEFAULT }) => {
    const { index, standing } = await standingIn(call, { userId, awards }, systemKey);
    return userPoints(call, userId, index, standing);
  },
);

/** A user's points in a points system, with what is due by the clock. */
export async function userPoints(call: Call, externalId: string, index: ProgramIndex, standing: Standing) {
  const { system, user, boosts, awards } = standing;
  const { pool, programs } = call.api.context;
  const asked = { projectId: call.projectId, externalId, systemId: system.id, balance: user };
  const { account, nextAt, fullAt } = await pointsNow(pool, programs, asked, { index, now: call.receivedAt });
  return {
    key: system.key,
    name: system.name,
    total: account.balance,
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...levels(system, account),
    boosts: boosts.map((boost) => boostMessage(boost, user.zones, index.program.timeZone)),
    awards: awards.map(({ fired, eventId, occurredAt }) => awardMessage(fired, { id: eventId ?? '', at: occurredAt })),
    earned: account.earned,
    ...(nextAt !== null && { nextAt: timestampFromMs(nextAt) }),
    ...(fullAt !== null && { fullAt: timestampFromMs(fullAt) }),
  };
}
