import type { UserRow } from '../ledger/rows.ts';
import { decideCreation } from '../rules/decide.ts';
import type { Applied } from '../rules/decision.ts';
import { EMPTY_COUNTER } from '../rules/look.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { toRecord } from '../rules/record.ts';
import type { UserBoost } from '../rules/types.ts';
import type { UserCommand } from './command.ts';
import type { Outcome } from './outcome.ts';
import { saveUser, withProfile } from './profile.ts';
import { addAwards, changeAccount, pick, refuse, type State, userKey } from './state.ts';

/** A user is made known, changed, or both at once; one who becomes known is paid for it. */
export function decideUser(
  state: State,
  index: ProgramIndex,
  command: UserCommand,
  boosts: readonly UserBoost[],
): Outcome {
  const before = state.users.get(userKey(command)) as UserRow;
  const created = before.createdAt === null;
  const programVersion = index.program.version;
  const refusal = { detail: {}, programVersion };
  if (command.mode === 'create' && !created)
    return refuse(state, before.id, command, { code: 'USER_EXISTS', ...refusal });
  if (command.mode === 'update' && created)
    return refuse(state, before.id, command, { code: 'USER_UNKNOWN', ...refusal });
  const user = withProfile(before, command, { now: state.now, projectZone: index.program.timeZone });
  let decision: Applied | null = null;
  if (created) {
    const accounts = pick(state.accounts, user.id, index.creationSystemIds);
    const { attributes, zones } = user;
    const nothing = {
      counter: EMPTY_COUNTER,
      triggerCounters: new Map(),
      usage: new Map(),
      runs: [],
      completed: new Set<string>(),
      rewarded: new Set<string>(),
    };
    const known = { attributes, zones, boosts, accounts, ...nothing };
    const decided = decideCreation(index.program, known, command.receivedAt);
    if (decided.outcome === 'refused') return refuse(state, user.id, command, decided);
    decision = decided;
    addAwards(state, index, user, decision, { eventId: null, commandId: command.id, at: command.receivedAt });
    const cause = { kind: 'user' as const, id: command.id, program: programVersion };
    for (const change of decision.systems) changeAccount(state, user, change, cause);
  }
  saveUser(state, user, command);
  state.postings.userCommands.push({
    userId: user.id,
    id: command.id,
    mode: command.mode,
    created,
    receivedAt: command.receivedAt,
    createdAt: state.now,
    programVersion,
    decision: decision === null ? null : toRecord(decision),
  });
  return { status: 'applied', kind: 'user', created };
}
