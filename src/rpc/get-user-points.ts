import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { awardsOf, type StoredAward } from '../ledger/balance.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { Fired, System } from '../rules/types.ts';
import { type Call, route } from './call.ts';
import { awardMessage, boostMessage, fromDecision, levels } from './convert.ts';
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
  const zone = index.program.timeZone;
  return {
    key: system.key,
    name: system.name,
    total: user.balance,
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...levels(system, user),
    boosts: boosts.map((boost) => boostMessage(boost, user.zones, zone)),
    awards: awards.map((award) => awardMessage(firedOf(award), { id: award.eventId ?? '', at: award.occurredAt })),
    earned: user.earned,
  };
}

function firedOf(award: StoredAward): Fired {
  return fromDecision(award.decision).fired.find((fired) => fired.triggerId === award.triggerId) as Fired;
}
