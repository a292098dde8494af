import { type BoostPatch, updateBoosts as update } from '../../commands/boosts/update-boosts.ts';
import { type BoostInput, BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { authorOf, itemRoute } from '../call.ts';
import { inside, issueMessages, takeItems } from '../items.ts';
import { maskedFields } from '../mask.ts';
import { BOOST_FIELDS } from './boost-input.ts';
import { boostMessages, lookAgain } from './boost-message.ts';

export const updateBoosts = itemRoute(BoostService.method.updateBoosts, 'admin', 'updates', async (call, request) => {
  const { items, issues } = takeItems(call, request.updates);
  const patches = items.flatMap(({ index, value }) => {
    const boost = value.boost as BoostInput;
    const { fields, problems } = maskedFields(BOOST_FIELDS, boost, value.updateMask);
    if (boost.id === '') problems.push({ field: 'boost.id', message: 'must name the boost' });
    if (boost.userId !== undefined) problems.push({ field: 'boost.user_id', message: 'cannot be changed' });
    const patch: BoostPatch = { id: boost.id.toLowerCase(), fields };
    return issues.errors(index, problems) ? [] : [{ index, value: patch }];
  });
  const changed = await update(call.api.context.orm, authorOf(call), patches);
  lookAgain(call, changed.updated);
  return {
    updated: await boostMessages(call, changed.updated),
    issues: issueMessages([...issues.all, ...inside('boost', changed.issues)]),
  };
});
