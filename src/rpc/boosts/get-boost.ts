import { boostsByIds } from '../../commands/boosts/find-boosts.ts';
import { GuerdonError } from '../../errors.ts';
import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { route } from '../call.ts';
import { boostMessages } from './boost-message.ts';

export const getBoost = route(BoostService.method.getBoost, 'admin', async (call, request) => {
  const found = await boostsByIds(call.api.context.pool, call.projectId, [request.id]);
  if (found.length === 0) throw new GuerdonError('NOT_FOUND', 'BOOST_UNKNOWN', `id: no boost ${request.id}`);
  const [boost] = await boostMessages(call, found);
  return { boost: boost as NonNullable<typeof boost> };
});
