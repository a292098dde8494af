import { type AccountState, pairKey } from '../ledger/load.ts';
import type { UserRow } from '../ledger/rows.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { transact } from '../rules/transact.ts';
import type { Instant, SystemChange } from '../rules/types.ts';
import type { TransactionCommand } from './command.ts';
import type { Outcome, TransactionOutcome } from './outcome.ts';
import { addEntry, changeAccount, refuse, type State, userKey } from './state.ts';

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
  const { posted, change } = decision;
  addEntry(state, {
    userId: user.id,
    systemId: system.id,
    version: change.after.version,
    kind: command.kind,
    amount: posted,
    balanceAfter: change.after.balance,
    causeKey: `${command.kind}:${command.key}`,
    eventId: null,
    triggerId: null,
    commandId: command.id,
    occurredAt: command.receivedAt,
    createdAt: state.now,
  });
  changeAccount(state, user, change, { kind: 'transaction', id: command.id, program: programVersion });
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
    entryVersion: change.after.version,
    levelBefore: change.levelBefore,
    levelAfter: change.levelAfter,
  });
  return transactionOutcome(state.now, command, programVersion, posted, change);
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
