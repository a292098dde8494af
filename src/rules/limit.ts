import { type Account, POINTS_LIMIT, type System, type Trigger } from './types.ts';

export interface Limited {
  amount: bigint;
  withheld: bigint;
  room: bigint | null;
}

/** An award is clamped so that the balance ends at the cap, never taken below where it was. */
export function clampToCap(system: System, balance: bigint, boosted: bigint): Limited {
  if (system.maxPoints === null) return { amount: boosted, withheld: 0n, room: null };
  const room = system.maxPoints > balance ? system.maxPoints - balance : 0n;
  const amount = boosted < room ? boosted : room;
  return { amount, withheld: boosted - amount, room };
}

/**
 * A deduction (`base` < 0) at the floor: shortened, let through, or null when the event is to be refused.
 * In a system without a floor, a trigger that refuses or clamps does so at 0.
 */
export function applyFloor(system: System, trigger: Trigger, balance: bigint, base: bigint): Limited | null {
  if (trigger.onFloor === 'allow') return { amount: base, withheld: 0n, room: null };
  const floor = system.minPoints ?? 0n;
  const room = balance > floor ? balance - floor : 0n;
  if (-base <= room) return { amount: base, withheld: 0n, room };
  if (trigger.onFloor === 'refuse') return null;
  return { amount: -room, withheld: base + room, room };
}

/**
 * What ticks change that would each add `one`, or take it away: up to the cap, down to the floor. A deduction that refuses
 * at the floor is passed over whole, tick by tick.
 */
export function limitTicks(
  system: System,
  trigger: Trigger,
  { balance, earned }: Account,
  { one, times }: { one: bigint; times: bigint },
): Pick<Limited, 'amount' | 'room'> {
  if (one >= 0n) {
    const { amount, room } = clampToCap(system, balance, one * times);
    return { amount: least(amount, POINTS_LIMIT - balance, POINTS_LIMIT - earned), room };
  }
  const floor = trigger.onFloor === 'allow' ? -POINTS_LIMIT : (system.minPoints ?? 0n);
  const room = balance > floor ? balance - floor : 0n;
  const whole = trigger.onFloor === 'refuse' ? -one * least(times, room / -one) : least(-one * times, room);
  return { amount: -whole, room: trigger.onFloor === 'allow' ? null : room };
}

function least(...numbers: readonly bigint[]): bigint {
  return numbers.reduce((least, number) => (number < least ? number : least));
}

/** The account after `amount`; `earned` counts what was added only. Null when a number leaves ±(2^53 − 1). */
export function post(account: Account, amount: bigint): Account | null {
  const balance = account.balance + amount;
  const earned = amount > 0n ? account.earned + amount : account.earned;
  if (balance > POINTS_LIMIT || balance < -POINTS_LIMIT || earned > POINTS_LIMIT) return null;
  return { balance, earned, version: amount === 0n ? account.version : account.version + 1n };
}
