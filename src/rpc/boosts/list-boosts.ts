import { listBoosts as list } from '../../commands/boosts/find-boosts.ts';
import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import type { BoostStatus } from '../../gen/guerdon/v1/types_pb.ts';
import type * as schedule from '../../rules/boost-schedule.ts';
import { route } from '../call.ts';
import { currentProgram, systemOf } from '../lookup.ts';
import { NO_UUID, pageCursor, pageSize, pageToken, UUID } from '../page.ts';
import { boostMessages, STATUS } from './boost-message.ts';

export const listBoosts = route(BoostService.method.listBoosts, 'admin', async (call, request) => {
  const { systemKey, userId, globalOnly, includeArchived } = request;
  const system = systemOf(await currentProgram(call), systemKey);
  const name = JSON.stringify(['boosts', system.id, userId, globalOnly, request.status, includeArchived]);
  const size = pageSize(request.pageSize);
  const found = await list(call.api.context.pool, call.projectId, system.id, {
    user: userId === '' ? null : userId,
    globalOnly,
    status: statusOf(request.status),
    archived: includeArchived,
    afterId: pageCursor(name, request.pageToken, UUID) ?? NO_UUID,
    limit: size + 1,
  });
  const page = found.slice(0, size);
  return {
    boosts: await boostMessages(call, page),
    nextPageToken: found.length > size ? pageToken(name, page.at(-1)?.boost.id ?? '') : '',
  };
});

function statusOf(asked: BoostStatus): schedule.BoostStatus | null {
  const known = Object.entries(STATUS) as [schedule.BoostStatus, BoostStatus][];
  return known.find(([, status]) => status === asked)?.[0] ?? null;
}
