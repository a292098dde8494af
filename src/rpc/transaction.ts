import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { TransactionCommand } from '../commands/command.ts';
import type { Outcome, TransactionOutcome } from '../commands/outcome.ts';
import { EntryKind } from '../gen/guerdon/v1/points_service_pb.ts';
import { earnedAt } from '../ledger/summary.ts';
import type { System } from '../rules/types.ts';
import type { Call } from './call.ts';
import { levels, levelsNow } from './convert.ts';
import { currentProgram } from './lookup.ts';
import { appliedOr } from './send-event.ts';
import { userAndSystem } from './user-system.ts';

interface TransactionRequest {
  userId: string;
  systemKey: string;
  amount: bigint;
  reason: string;
  idempotencyKey: string;
}

/** Sends a spend or an adjustment on its way and answers after its commit. */
export async function transactionAnswer(call: Call, kind: TransactionCommand['kind'], request: TransactionRequest) {
  const { context, ingest } = call.api;
  const { userId, system } = await userAndSystem(call, request);
  const command: TransactionCommand = {
    kind,
    id: context.uuid(),
    projectId: call.projectId,
    user: request.userId,
    systemId: system.id,
    amount: request.amount.toString(),
    reason: request.reason,
    key: request.idempotencyKey,
    receivedAt: call.receivedAt,
  };
  const [outcome] = ingest.submit([command], call.deadline) as [Promise<Outcome>];
  return answer(call, userId, appliedOr(await outcome, 'transaction'));
}

const KIND = { spend: EntryKind.SPEND, adjust: EntryKind.ADJUST } as const;

async function answer(call: Call, userId: string, outcome: TransactionOutcome) {
  const { entry, now, systemId } = outcome;
  return {
    entry: {
      version: BigInt(entry.version),
      kind: KIND[entry.kind],
      amount: BigInt(entry.amount),
      balanceAfter: BigInt(entry.balanceAfter),
      createdAt: timestampFromMs(entry.createdAt),
      occurredAt: timestampFromMs(entry.receivedAt),
      reason: entry.reason,
      idempotencyKey: entry.key,
    },
    total: BigInt(now?.[systemId]?.balance ?? entry.balanceAfter),
    levelChanged: outcome.levelBefore !== outcome.levelAfter,
    ...(now === undefined
      ? await levelsThen(call, userId, outcome)
      : levelsNow(systemId, { balances: now, index: await currentProgram(call) })),
    idempotentReplayed: outcome.status === 'replayed',
  };
}

/** The levels of the account as its entry left it, by the program that decided it. */
async function levelsThen(call: Call, userId: string, { programVersion, systemId, entry }: TransactionOutcome) {
  const { programs, pool } = call.api.context;
  const then = await programs.get(pool, call.projectId, programVersion);
  const system = then.systemById.get(systemId) as System;
  const version = BigInt(entry.version);
  const earned = system.levelBasis === 'earned' ? await earnedAt(pool, userId, systemId, version) : 0n;
  return levels(system, { balance: BigInt(entry.balanceAfter), earned, version });
}
