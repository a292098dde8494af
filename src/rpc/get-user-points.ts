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
    const asked = { userId: request.userId, awards: request.awards ?? AWARDS_DEFAULT };
    const [points] = await userPoints(call, index, [system], asked);
    return points as NonNullable<typeof points>;
  },
);

/** A user's points in each of these points systems, with the latest awards. */
export async function userPoints(
  call: Call,
  index: ProgramIndex,
  systems: readonly System[],
  asked: { userId: string; awards: number },
) {
  const standings = await boostsNow(call, index, systems, asked.userId);
  const [first] = standings;
  if (first === undefined) return [];
  const ids = systems.map(({ id }) => id);
  const awards = await awardsOf(call.api.context.pool, first.user.userId, ids, asked.awards);
  const zone = index.program.timeZone;
  return standings.map(({ system, user, boosts }) => ({
    key: system.key,
    name: system.name,
    total: user.balance,
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...levels(system, user),
    boosts: boosts.map((boost) => boostMessage(boost, user.zones, zone)),
    awards: (awards.get(system.id) ?? []).map((award) =>
      awardMessage(firedOf(award), { id: award.eventId ?? '', at: award.occurredAt }),
    ),
    earned: user.earned,
  }));
}

function firedOf(award: StoredAward): Fired {
  return fromDecision(award.decision).fired.find((fired) => fired.triggerId === award.triggerId) as Fired;
}
