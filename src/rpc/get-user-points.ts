import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type PointsNow, pointsNow } from '../commands/points-now.ts';
import type { Queryable } from '../db/pool.ts';
import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { awardsOf } from '../ledger/balance.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { System } from '../rules/types.ts';
import { type Call, route } from './call.ts';
import { awardMessage, boostMessage, levels } from './convert.ts';
import { boostsNow, readByProgram, systemOf } from './lookup.ts';

const AWARDS_DEFAULT = 10;

export const getUserPoints = route(
  PointsService.method.getUserPoints,
  (request) => [request.userId],
  (call, request) =>
    readByProgram(call, async (db, index) => {
      const system = systemOf(index, request.systemKey);
      const asked = { userId: request.userId, awards: request.awards ?? AWARDS_DEFAULT };
      const [points] = await userPoints(call, db, index, [system], asked);
      return points as NonNullable<typeof points>;
    }),
);

/** A user's points in each of these points systems, with the latest awards. */
export async function userPoints(
  call: Call,
  db: Queryable,
  index: ProgramIndex,
  systems: readonly System[],
  asked: { userId: string; awards: number },
) {
  const { programs } = call.api.context;
  const ids = systems.map(({ id }) => id);
  const user = { projectId: call.projectId, externalId: asked.userId };
  const [standings, awards] = await Promise.all([
    boostsNow(call, db, index, systems, asked.userId),
    awardsOf(db, user, ids, asked.awards),
  ]);
  const due = await Promise.all(
    standings.map(({ system, user: balance }) => {
      const asOf = { ...user, systemId: system.id, balance };
      return pointsNow(db, programs, asOf, { index, now: call.receivedAt });
    }),
  );
  const zone = index.program.timeZone;
  const all = standings.map((standing, place) => ({ ...standing, ...(due[place] as PointsNow) }));
  return all.map(({ system, user, boosts, account, nextAt, fullAt }) => ({
    key: system.key,
    name: system.name,
    total: account.balance,
    ...(system.maxPoints !== null && { maxPoints: system.maxPoints }),
    ...levels(system, account),
    boosts: boosts.map((boost) => boostMessage(boost, user.zones, zone)),
    awards: (awards.get(system.id) ?? []).map(({ fired, eventId, occurredAt }) =>
      awardMessage(fired, { id: eventId ?? '', at: occurredAt }),
    ),
    earned: account.earned,
    ...(nextAt !== null && { nextAt: timestampFromMs(nextAt) }),
    ...(fullAt !== null && { fullAt: timestampFromMs(fullAt) }),
  }));
}
