import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { awardsOf, type StoredAward, userBalance } from '../ledger/balance.ts';
import { findUserBoosts } from '../ledger/boosts.ts';
import { applicable } from '../rules/boost.ts';
import { levelBasis, levelOf, nextLevelOf } from '../rules/level.ts';
import type { Fired } from '../rules/types.ts';
import { route } from './call.ts';
import { awardMessage, boostMessage, fromDecision, levelMessage } from './convert.ts';
import { currentProgram, systemOf, userUnknown } from './lookup.ts';

const AWARDS_DEFAULT = 10;

export const getUserPoints = route(PointsService.method.getUserPoints, async (call, request) => {
  const { context } = call.api;
  const index = await currentProgram(call);
  const system = systemOf(index, request.systemKey);
  const [user, boosts] = await Promise.all([
    userBalance(context.pool, call.projectId, request.userId, system.id),
    findUserBoosts(context.pool, [{ projectId: call.projectId, externalId: request.userId }]),
  ]);
  if (user === undefined) throw userUnknown(request.userId);
  const awards = await awardsOf(context.pool, user.userId, system.id, request.awards ?? AWARDS_DEFAULT);
  const level = levelOf(system, user);
  const next = nextLevelOf(system, user);
  const zone = index.program.timeZone;
  const own = boosts.get(`${call.projectId} ${request.userId}`) ?? [];
  const inForce = applicable(
    [...system.boosts, ...own.filter((boost) => boost.systemId === system.id)],
    user,
    call.receivedAt,
    zone,
  );
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
    boosts: inForce.map((boost) => boostMessage(boost, user.zones, call.receivedAt, zone)),
    awards: awards.map((award) => awardMessage(firedOf(award), { id: award.eventId, at: award.occurredAt })),
    earned: user.earned,
  };
});

function firedOf(award: StoredAward): Fired {
  return fromDecision(award.decision).fired.find((fired) => fired.triggerId === award.triggerId) as Fired;
}
