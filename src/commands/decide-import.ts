import { importHash } from '../ledger/hash.ts';
import { type AccountState, pairKey } from '../ledger/load.ts';
import type { ImportedBalance, UserRow } from '../ledger/rows.ts';
import { Announced } from '../ledger/webhooks.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { RefusalCode } from '../rules/decision.ts';
import { importedRun, reachedElsewhere } from '../rules/import.ts';
import { levelOf } from '../rules/level.ts';
import type { ProgramIndex } from '../rules/program.ts';
import type { System } from '../rules/types.ts';
import type { ImportCommand } from './command.ts';
import type { Outcome } from './outcome.ts';
import { saveUser, withProfile } from './profile.ts';
import { addEntry, changeAccount, keepRewarded, type State, userKey } from './state.ts';
import { changeRuns } from './streaks.ts';

/**
 * A user becomes known with what it had elsewhere: nothing is decided, no trigger fires and no level gives. Triggers go on
 * from the totals, since they fire by the high-water mark, and those with event filters from their own counters. A refusal is
 * not stored: nobody waits for it, and an import that comes again is refused again.
 */
export function decideImport(state: State, index: ProgramIndex, command: ImportCommand): Outcome {
  const before = state.users.get(userKey(command)) as UserRow;
  if (before.createdAt !== null) return refused('USER_EXISTS');
  const { content, receivedAt } = command;
  // All the same rows, of which nobody is told.
  const told = command.announce ? state : { ...state, announced: NOBODY };
  if (content.balances.some(({ systemId }) => !index.systemById.has(systemId))) return refused('POINTS_SYSTEM_UNKNOWN');
  const profiled = withProfile(before, command, { now: state.now, projectZone: index.program.timeZone });
  const user = { ...profiled, createdAt: content.createdAt ?? receivedAt };
  saveUser(state, user, command);
  for (const { metricId, total, high } of content.totals) {
    const key = pairKey(user.id, metricId);
    state.totals.set(key, { total: parseDecimal(total), high: parseDecimal(high) });
    state.changed.totals.set(key, { userId: user.id, metricId });
  }
  for (const { triggerId, total, high } of content.counters) {
    state.triggerCounters.set(pairKey(user.id, triggerId), { total: parseDecimal(total), high: parseDecimal(high) });
  }
  for (const balance of content.balances) {
    openAccount(told, index, user, command, balance);
  }
  const { streak } = index.program;
  if (streak !== null && content.streak !== null) {
    const after = importedRun(content.streak, streak.frequency);
    changeRuns(told, index, user, { period: after.last, before: [], after }, { at: null, now: receivedAt });
  }
  const row = {
    userId: user.id,
    id: command.id,
    content,
    receivedAt,
    createdAt: state.now,
    programVersion: index.program.version,
  };
  state.postings.imports.push({ ...row, hash: importHash(row) });
  return { status: 'applied', kind: 'import' };
}

const NOBODY = new Announced(new Map());

function openAccount(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  command: ImportCommand,
  { systemId, balance, earned }: ImportedBalance,
): void {
  const system = index.systemById.get(systemId) as System;
  const before = state.accounts.get(pairKey(user.id, system.id)) as AccountState;
  const after = { balance: BigInt(balance), earned: BigInt(earned), version: 1n };
  addEntry(state, {
    userId: user.id,
    systemId: system.id,
    version: after.version,
    kind: 'import',
    amount: after.balance,
    earned: after.earned,
    balanceAfter: after.balance,
    causeKey: 'import',
    eventId: null,
    triggerId: null,
    commandId: command.id,
    occurredAt: command.receivedAt,
    createdAt: state.now,
  });
  for (const key of reachedElsewhere(system, after)) keepRewarded(state, user, system.id, key);
  const levels = {
    levelBefore: levelOf(system, before)?.key ?? null,
    levelAfter: levelOf(system, after)?.key ?? null,
  };
  const cause = { kind: 'import', id: command.id, program: index.program.version } as const;
  changeAccount(state, user, { systemId, before, after, ...levels }, cause);
}

function refused(code: RefusalCode): Outcome {
  return { status: 'refused', code, detail: {} };
}
