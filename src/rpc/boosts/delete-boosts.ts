import { archiveBoosts } from '../../commands/boosts/update-boosts.ts';
import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { authorOf, itemRoute } from '../call.ts';
import { issueMessages, takeItems } from '../items.ts';

export const deleteBoosts = itemRoute(BoostService.method.deleteBoosts, 'admin', 'ids', async (call, request) => {
  const { items, issues } = takeItems(call, request.ids);
  const ids = items.map(({ index, value }) => ({ index, value: value.toLowerCase() }));
  const done = await archiveBoosts(call.api.context.orm, authorOf(call), ids);
  return { deleted: done.archived, issues: issueMessages([...issues.all, ...done.issues]) };
});
