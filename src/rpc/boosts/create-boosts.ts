import { createBoosts as create } from '../../commands/boosts/create-boosts.ts';
import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { authorOf, itemRoute } from '../call.ts';
import { issueMessages, takeItems } from '../items.ts';
import { currentProgram, systemOf } from '../lookup.ts';
import { boostDraft } from './boost-input.ts';
import { boostMessages, lookAgain } from './boost-message.ts';

export const createBoosts = itemRoute(BoostService.method.createBoosts, 'admin', 'boosts', async (call, request) => {
  const system = systemOf(await currentProgram(call), request.systemKey);
  const { items, issues } = takeItems(call, request.boosts);
  const drafts = items.map(({ index, value }) => ({ index, value: boostDraft(value) }));
  const made = await create(call.api.context.orm, authorOf(call), system.id, drafts);
  lookAgain(call, made.created);
  return {
    created: await boostMessages(call, made.created),
    issues: issueMessages([...issues.all, ...made.issues]),
  };
});
