import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { awardsOf, type StoredAward } from '../ledger/balance.ts';
import { levelBasis, levelOf, nextLevelOf } from '../rules/level.ts';
import type { Fired } from '../rules/types.ts';
import { route } from './call.ts';
import { awardMessage, boostMessage, fromDecision, levelMessage } from './convert.ts';
import { boostsNow, currentProgram, systemOf } from './lookup.ts';

const AWARDS_DEFAULT = 10;

export const getUserPoints = route(
  PointsService.method.getUserPoints,
  (request) => [request.userId],
  async (call, request) => {
    const { context } = call.api;
    const index = await currentProgram(call);
    const system = systemOf(index, request.systemKey);
    const { user, boosts } = await boostsNow(call, index, system, request.userId);
    const awards = await awardsOf(context.pool, user.userId, system.id, request.awards ?? AWARDS_DEFAULT);
    const level = levelOf(system, user);
    const next = nextLevelOf(system, user);
    const zone = index.program.timeZone;
    return {
      key: system.key,
      name: system.name,
      total: user.balance,
      ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
      ...(level !== null && { level: levelMessage(level) }),
      ...(next !== null && {
        nextLevel: levelMessage(next),
        pointsToNextLevel: next.points - levelBasis(system, user),
      }),
      boosts: boosts.map((boost) => boostMessage(boost, user.zones, zone)),
      awards: awards.map((award) => awardMessage(firedOf(award), { id: award.eventId ?? '', at: award.occurredAt })),
      earned: user.earned,
    };
  },
);

function firedOf(award: StoredAward): Fired {
  return fromDecision(award.decision).fired.find((fired) => fired.triggerId === award.triggerId) as Fired;
}
