import { changeOf } from './account.ts';
import type { RefusalCode, SystemChange } from './decision.ts';
import { post } from './limit.ts';
import type { Account, System } from './types.ts';

/** `spend` takes `amount` > 0 points; `adjust` grants them, or deducts when negative. */
export interface Transaction {
  kind: 'spend' | 'adjust';
  amount: bigint;
}

export type Transacted =
  | { outcome: 'applied'; posted: bigint; change: SystemChange }
  | { outcome: 'refused'; code: RefusalCode; detail: Readonly<Record<string, string>> };

/** Decides a spend or an adjustment: all of it or nothing, within floor and cap. Boosts do not concern it. */
export function transact(system: System, account: Account, transaction: Transaction): Transacted {
  if (transaction.amount === 0n || (transaction.kind === 'spend' && transaction.amount < 0n)) {
    throw new RangeError(`no amount to ${transaction.kind}: ${transaction.amount}`);
  }
  const posted = transaction.kind === 'spend' ? -transaction.amount : transaction.amount;
  const detail = { system: system.key, balance: account.balance.toString(), amount: posted.toString() };
  const target = account.balance + posted;
  const floor = transaction.kind === 'spend' ? (system.minPoints ?? 0n) : system.minPoints;
  if (posted < 0n && floor !== null && target < floor) {
    return { outcome: 'refused', code: 'OUT_OF_POINTS', detail: { ...detail, needed: (-posted).toString() } };
  }
  if (posted > 0n && system.maxPoints !== null && target > system.maxPoints) {
    return { outcome: 'refused', code: 'ABOVE_CAP', detail: { ...detail, cap: system.maxPoints.toString() } };
  }
  const after = post(account, posted);
  if (after === null) return { outcome: 'refused', code: 'BALANCE_OUT_OF_RANGE', detail };
  return {
    outcome: 'applied',
    posted,
    change: changeOf(system, account, after),
  };
}
