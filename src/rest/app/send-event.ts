import { idOf } from '../../contract-ids.ts';
import { EventService, type SendEventResponse } from '../../gen/guerdon/v1/event_service_pb.ts';
import { eventById } from '../../ledger/stored-events.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { ProgramIndex } from '../../rules/program.ts';
import { exactNumber } from '../json.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { achievementTeller } from '../shapes/achievement.ts';
import { pointsShapes } from '../shapes/points.ts';
import { streakNow, streakShape } from '../shapes/streak.ts';
import { checkSubscription, type UpsertedUser, userInput } from '../shapes/user.ts';
import { knownAddress } from './users.ts';

interface MetricsEventRequest {
  user: UpsertedUser;
  /** A decimal. */
  value: string;
  attributes?: Record<string, string>;
}

export async function sendEvent({ call, path, idempotencyKey, body }: RestCall<MetricsEventRequest>): Promise<Answer> {
  checkSubscription(body.user, await knownAddress(call, body.user), 'user.');
  const done = await rpc(call, EventService.method.sendEvent, {
    metricKey: path.key as string,
    user: userInput(body.user),
    value: body.value,
    attributes: body.attributes ?? {},
    idempotencyKey: idempotencyKey ?? '',
  });
  const { metrics } = await call.api.context.catalog.get(call.projectId);
  const metric = metrics.find(({ key }) => key === done.metricKey);
  return {
    status: done.idempotentReplayed ? 202 : 201,
    body: {
      eventId: done.eventId,
      metricId: metric === undefined ? '' : idOf('metric', metric.id),
      total: exactNumber(done.total),
      achievements: await achievementsOf(call, done),
      currentStreak: await streakOf(call, body.user.id, done),
      points: await pointsShapes(call, await programOf(call, done), body.user.id, done.points),
      leaderboards: {},
      ...(idempotencyKey && { idempotencyKey, idempotentReplayed: done.idempotentReplayed }),
    },
  };
}

/** The streak after the event; in a repeat, and where the event is none that streaks count, as it stands. */
async function streakOf(call: Call, user: string, { streak, idempotentReplayed }: SendEventResponse) {
  const after = idempotentReplayed ? undefined : streak?.streak;
  const shown = after ?? (await streakNow(call, user, 0)).streak;
  return { ...streakShape(shown), extended: streak?.extended ?? false };
}

/** What the event completed; what it only showed to have been completed long before is told by the lists. */
async function achievementsOf(call: Call, { achievements }: SendEventResponse) {
  const { ofUser } = await achievementTeller(call);
  return achievements.flatMap((completed) =>
    completed.backdated || completed.achievement === undefined ? [] : [ofUser(completed.achievement, completed)],
  );
}

/** The program in force, or the one that decided the event where a points system of it is there no more. */
async function programOf(call: Call, { eventId, points }: SendEventResponse): Promise<ProgramIndex> {
  const { programs, pool } = call.api.context;
  const current = await currentProgram(call);
  if (Object.keys(points).every((key) => current.systemByKey.has(key))) return current;
  const event = await eventById(pool, call.projectId, eventId);
  return event === undefined ? current : programs.get(pool, call.projectId, event.programVersion);
}
