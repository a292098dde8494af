import type { UserRow } from '../ledger/rows.ts';
import { decideCompletion } from '../rules/decide.ts';
import { EMPTY_COUNTER } from '../rules/look.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { toRecord } from '../rules/record.ts';
import type { UserBoost } from '../rules/types.ts';
import type { CompleteCommand } from './command.ts';
import type { Outcome } from './outcome.ts';
import { saveUser, withProfile } from './profile.ts';
import { addAwards, addCompletion, changeAccount, pick, refuse, type State, userKey } from './state.ts';

/** An achievement is completed because the app says so; who is not known becomes known by it. */
export function decideComplete(
  state: State,
  index: ProgramIndex,
  command: CompleteCommand,
  boosts: readonly UserBoost[],
): Outcome {
  const before = state.users.get(userKey(command)) as UserRow;
  const user = withProfile(before, command, { now: state.now, projectZone: index.program.timeZone });
  const created = before.createdAt === null;
  const systemIds = [...index.systemsOfAchievement(command.achievementId), ...(created ? index.creationSystemIds : [])];
  const decision = decideCompletion(
    index.program,
    {
      attributes: user.attributes,
      zones: user.zones,
      boosts,
      counter: EMPTY_COUNTER,
      triggerCounters: new Map(),
      usage: new Map(),
      accounts: pick(state.accounts, user.id, systemIds),
      runs: [],
      completed: new Set(),
      rewarded: state.rewarded.get(userKey(command)) ?? new Set(),
    },
    command.achievementId,
    { at: command.receivedAt, created },
  );
  if (decision.outcome === 'refused') return refuse(state, user.id, command, decision);
  saveUser(state, user, command);
  const record = toRecord(decision);
  const { achievementId, receivedAt: at } = command;
  const completion = { achievementId, backdated: false };
  addCompletion(state, user, completion, { command, at, programVersion: decision.programVersion, decision: record });
  addAwards(state, index, user, decision, { eventId: null, commandId: command.id, at });
  for (const change of decision.systems) {
    changeAccount(state, user, change, { kind: 'completion', id: command.id, program: decision.programVersion });
  }
  return {
    status: 'applied',
    kind: 'completion',
    completionId: command.id,
    achievementId,
    at,
    programVersion: decision.programVersion,
    decision: record,
  };
}
