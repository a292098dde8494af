import { EventService, type SendEventResponse } from '../../gen/guerdon/v1/event_service_pb.ts';
import { eventById } from '../../ledger/stored-events.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import type { ProgramIndex } from '../../rules/program.ts';
import { idOf } from '../ids.ts';
import { exactNumber } from '../json.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { eventPointsShape } from '../shapes/points.ts';
import { achievementShapes, eventStreakShape } from '../shapes/streak.ts';
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
      achievements: achievementShapes(),
      currentStreak: eventStreakShape(),
      points: await pointsOf(call, body.user.id, done),
      leaderboards: {},
      ...(idempotencyKey && { idempotencyKey, idempotentReplayed: done.idempotentReplayed }),
    },
  };
}

async function pointsOf(call: Call, user: string, done: SendEventResponse) {
  const points = Object.entries(done.points);
  const index = await programOf(
    call,
    done,
    points.map(([key]) => key),
  );
  const shapes = points.flatMap(([key, changed]) => {
    const system = index.systemByKey.get(key);
    return system === undefined
      ? []
      : [eventPointsShape(call, system, user, changed).then((shape) => [key, shape] as const)];
  });
  return Object.fromEntries(await Promise.all(shapes));
}

/** The program in force, or the one that decided the event where a points system of it is there no more. */
async function programOf(call: Call, { eventId }: SendEventResponse, keys: readonly string[]): Promise<ProgramIndex> {
  const { programs, pool } = call.api.context;
  const current = await currentProgram(call);
  if (keys.every((key) => current.systemByKey.has(key))) return current;
  const event = await eventById(pool, call.projectId, eventId);
  return event === undefined ? current : programs.get(pool, call.projectId, event.programVersion);
}
