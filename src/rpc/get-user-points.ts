import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pointsNow } from '../commands/points-now.ts';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { awardsOf } from '../ledger/balance.ts';
import { levelOf } from '../rules/level.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { System } from '../rules/types.ts';
import { type Call, route } from './call.ts';
import { awardMessage, boostMessage, levelMessage, nextLevel } from './convert.ts';
import { boostsNow, currentProgram, systemOf } from './lookup.ts';

const AWARDS_DEFAULT = 10;

export const getUserPoints = route(
  PointsService.method.getUserPoints,
  (request) => [request.userId],
  async (call, request) => {
    const index = await currentProgram(call);
    const system = systemOf(index, request.systemKey);
    return userPoints(call, index, system, { userId: request.userId, awards: request.awards ?? AWARDS_DEFAULT });
  },
);

/** A user's points in one points system, with the latest awards. */
export async function userPoints(
  call: Call,
  index: ProgramIndex,
  system: System,
  asked: { userId: string; awards: number },
) {
  const { user, boosts } = await boostsNow(call, index, system, asked.userId);
  const awards = await awardsOf(call.api.context.pool, user.userId, system.id, asked.awards);
  const { pool, programs } = call.api.context;
  const asOf = { projectId: call.projectId, externalId: asked.userId, systemId: system.id, balance: user };
  const { account, nextAt, fullAt } = await pointsNow(pool, programs, asOf, { index, now: call.receivedAt });
  const level = levelOf(system, account);
  const zone = index.program.timeZone;
  return {
    key: system.key,
    name: system.name,
    total: account.balance,
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...(level !== null && { level: levelMessage(level) }),
    ...nextLevel(system, account),
    boosts: boosts.map((boost) => boostMessage(boost, user.zones, zone)),
    awards: awards.map(({ fired, eventId, occurredAt }) => awardMessage(fired, { id: eventId ?? '', at: occurredAt })),
    earned: account.earned,
    ...(nextAt !== null && { nextAt: timestampFromMs(nextAt) }),
    ...(fullAt !== null && { fullAt: timestampFromMs(fullAt) }),
  };
}
