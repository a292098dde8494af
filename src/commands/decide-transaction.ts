import { type AccountState, pairKey } from '../ledger/load.ts';
import type { UserRow } from '../ledger/rows.ts';
import { changeOf } from '../rules/account.ts';
import type { SystemChange } from '../rules/decision.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { rewardRecords } from '../rules/record.ts';
import { giveRewards } from '../rules/reward.ts';
import { transact } from '../rules/transact.ts';
import type { Account, Instant, System } from '../rules/types.ts';
import type { TransactionCommand } from './command.ts';
import type { Outcome, TransactionOutcome } from './outcome.ts';
import { addEntry, addRewards, changeAccount, pick, refuse, type State, userKey } from './state.ts';

export function decideTransaction(state: State, index: ProgramIndex, command: TransactionCommand): Outcome {
  const user = state.users.get(userKey(command)) as UserRow;
  const system = index.systemById.get(command.systemId);
  const programVersion = index.program.version;
  if (system === undefined) {
    return refuse(state, user.id, command, { code: 'POINTS_SYSTEM_UNKNOWN', detail: {}, programVersion });
  }
  const account = state.accounts.get(pairKey(user.id, system.id)) as AccountState;
  const transaction = { kind: command.kind, amount: BigInt(command.amount) };
  const decision = transact(system, account, transaction);
  if (decision.outcome === 'refused') return refuse(state, user.id, command, { ...decision, programVersion });
  const { posted } = decision;
  const accounts = new Map<string, Account>(pick(state.accounts, user.id, index.withRewards([system.id])));
  accounts.set(system.id, decision.change.after);
  const risen = [{ systemId: system.id, before: account }];
  const given = giveRewards(index.program, accounts, risen, state.rewarded.get(userKey(command)) ?? new Set());
  const change = changeOf(system, account, accounts.get(system.id) as Account);
  const { after } = decision.change;
  addEntry(state, {
    userId: user.id,
    systemId: system.id,
    version: after.version,
    kind: command.kind,
    amount: posted,
    balanceAfter: after.balance,
    causeKey: `${command.kind}:${command.key}`,
    eventId: null,
    triggerId: null,
    commandId: command.id,
    occurredAt: command.receivedAt,
    createdAt: state.now,
  });
  addRewards(state, user, given.rewards, { eventId: null, commandId: command.id, at: command.receivedAt });
  const cause = { kind: 'transaction' as const, id: command.id, program: programVersion };
  changeAccount(state, user, change, cause);
  const others = new Set(given.rewards.map(({ targetId }) => targetId).filter((id) => id !== system.id));
  for (const id of others) {
    const before = state.accounts.get(pairKey(user.id, id)) as AccountState;
    const other = changeOf(index.systemById.get(id) as System, before, accounts.get(id) as Account);
    changeAccount(state, user, other, cause);
  }
  state.postings.commands.push({
    userId: user.id,
    id: command.id,
    kind: command.kind,
    systemId: system.id,
    key: command.key,
    amount: transaction.amount,
    reason: command.reason,
    receivedAt: command.receivedAt,
    createdAt: state.now,
    programVersion,
    afterSeq: user.seq,
    entryVersion: after.version,
    levelBefore: change.levelBefore,
    levelAfter: change.levelAfter,
    decision: given.rewards.length + given.again.length === 0 ? null : rewardRecords(given),
  });
  return transactionOutcome(state.now, command, programVersion, posted, { ...change, after });
}

function transactionOutcome(
  now: Instant,
  command: TransactionCommand,
  programVersion: number,
  posted: bigint,
  change: SystemChange,
): TransactionOutcome {
  return {
    status: 'applied',
    kind: 'transaction',
    systemId: change.systemId,
    programVersion,
    entry: {
      version: change.after.version.toString(),
      kind: command.kind,
      amount: posted.toString(),
      balanceAfter: change.after.balance.toString(),
      receivedAt: command.receivedAt,
      createdAt: now,
      reason: command.reason,
      key: command.key,
    },
    levelBefore: change.levelBefore,
    levelAfter: change.levelAfter,
  };
}
