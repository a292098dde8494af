import { type AccountState, pairKey } from '../ledger/load.ts';
import type { UserRow } from '../ledger/rows.ts';
import { EMPTY_ACCOUNT } from '../rules/account.ts';
import type { Counter } from '../rules/types.ts';
import { type Command, isTransaction } from './command.ts';
import type { Prepared } from './prepare.ts';
import { timedSystems } from './settle-user.ts';
import { userKey } from './state.ts';

/** Rows that commands may change, by user and what belongs to it. */
export interface Touched {
  totals: Map<string, { userId: string; metricId: string }>;
  triggerCounters: Map<string, { userId: string; triggerId: string }>;
  accounts: Map<string, { userId: string; systemId: string }>;
}

/** What the commands may change of these users; those of other users are left out. */
export function touchedBy(
  commands: readonly Command[],
  users: ReadonlyMap<string, UserRow>,
  { programs, eras }: Pick<Prepared, 'programs' | 'eras'>,
): Touched {
  const touched: Touched = { totals: new Map(), triggerCounters: new Map(), accounts: new Map() };
  for (const command of commands) {
    const user = users.get(userKey(command));
    const index = programs.get(command.projectId);
    if (user === undefined || index === undefined) continue;
    const userId = user.id;
    const take = (systemIds: Iterable<string>) => {
      for (const systemId of systemIds) touched.accounts.set(pairKey(userId, systemId), { userId, systemId });
    };
    const total = (metricId: string) => touched.totals.set(pairKey(userId, metricId), { userId, metricId });
    const counter = (triggerId: string) =>
      touched.triggerCounters.set(pairKey(userId, triggerId), { userId, triggerId });
    const timed = eras.get(command.projectId);
    if (timed !== undefined) take(index.withRewards(timedSystems(timed, index)));
    if (command.kind === 'import') {
      take(command.content.balances.map(({ systemId }) => systemId));
      for (const { metricId } of command.content.totals) total(metricId);
      for (const { triggerId } of command.content.counters) counter(triggerId);
      continue;
    }
    if (user.createdAt === null) take(index.creationSystemIds);
    if (command.kind === 'complete') take(index.systemsOfAchievement(command.achievementId));
    if (isTransaction(command)) take(index.withRewards([command.systemId]));
    if (command.kind !== 'event') continue;
    total(command.metricId);
    const metric = index.touchedBy(command.metricId);
    take(metric.systemIds);
    metric.countingTriggerIds.forEach(counter);
  }
  return touched;
}

/** Rows of what commands may change, as they are. */
export interface Found {
  totals: ReadonlyMap<string, Counter>;
  triggerCounters: ReadonlyMap<string, Counter>;
  accounts: ReadonlyMap<string, AccountState>;
}

export const NOTHING: Found = { totals: new Map(), triggerCounters: new Map(), accounts: new Map() };

const NO_COUNTER: Counter = { total: 0n, high: 0n };
const NO_ACCOUNT: AccountState = { ...EMPTY_ACCOUNT, hash: null };

/** Rows of all that is touched; where none was found, nothing was counted or posted yet. */
export function withNothing(touched: Touched, found: Found): Found {
  return {
    totals: eachOf(touched.totals, found.totals, NO_COUNTER),
    triggerCounters: eachOf(touched.triggerCounters, found.triggerCounters, NO_COUNTER),
    accounts: eachOf(touched.accounts, found.accounts, NO_ACCOUNT),
  };
}

function eachOf<R>(touched: ReadonlyMap<string, unknown>, found: ReadonlyMap<string, R>, nothing: R): Map<string, R> {
  return new Map(Array.from(touched.keys(), (key) => [key, found.get(key) ?? nothing]));
}
