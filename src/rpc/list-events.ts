import { invalid } from '../errors.ts';
import { EventService } from '../gen/guerdon/v1/event_service_pb.ts';
import { eventsOf } from '../ledger/stored-events.ts';
import { type Call, route } from './call.ts';
import { eventMessage } from './event-message.ts';
import { pageCursor, pageSize, pageToken } from './page.ts';
import { userIdIn } from './user-system.ts';

export const listEvents = route(
  EventService.method.listEvents,
  (request) => [request.userId],
  async (call, request) => {
    const { pool } = call.api.context;
    const userId = await userIdIn(call, request.userId);
    const metricId = request.metricKey === '' ? null : await metricIdOf(call, request.metricKey);
    const list = `events ${userId} ${metricId}`;
    const beforeSeq = pageCursor(list, request.pageToken, /^[0-9]{1,18}$/);
    const size = pageSize(request.pageSize);
    const found = await eventsOf(pool, userId, { metricId, beforeSeq, limit: size + 1 });
    const events = found.slice(0, size);
    const last = events.at(-1)?.outcome;
    return {
      events: await Promise.all(events.map((event) => eventMessage(call, event))),
      nextPageToken: found.length > size && last?.status === 'applied' ? pageToken(list, String(last.seq)) : '',
    };
  },
);

async function metricIdOf(call: Call, key: string): Promise<string> {
  const project = await call.api.context.catalog.fresh(call.projectId);
  const id = project.metricIdByKey.get(key);
  if (id === undefined) {
    throw invalid([{ field: 'metric_key', description: `no metric ${JSON.stringify(key)} in project ${project.key}` }]);
  }
  return id;
}
