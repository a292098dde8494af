import { describe, expect, it } from '@jest/globals';
import type { RefusalCode } from '../../src/rules/decision.ts';
import { type Transacted, transact } from '../../src/rules/transact.ts';
import { POINTS_LIMIT, type System } from '../../src/rules/types.ts';
import { account, boost, level, system } from './build.ts';

const BARE = system([], { min: null });
const COINS = system([], { max: 100 });
const KEEP_FIVE = system([], { min: 5 });
const OVERDRAFT = system([], { min: -10 });

type Result = number | bigint | RefusalCode;

function spend(rules: System, balance: number | bigint, amount: number | bigint): RefusalCode | bigint {
  return resultOf(transact(rules, account(balance), { kind: 'spend', amount: BigInt(amount) }));
}

function adjust(rules: System, balance: number | bigint, amount: number | bigint): RefusalCode | bigint {
  return resultOf(transact(rules, account(balance), { kind: 'adjust', amount: BigInt(amount) }));
}

function resultOf(result: Transacted): RefusalCode | bigint {
  return result.outcome === 'refused' ? result.code : result.change.after.balance;
}

function written(result: Result): RefusalCode | bigint {
  return typeof result === 'number' ? BigInt(result) : result;
}

describe('a spend', () => {
  it.each<[string, System, number | bigint, number, Result]>([
    ['takes its points', COINS, 50, 20, 30],
    ['takes everything', COINS, 50, 50, 0],
    ['of more than there is is refused, not shortened', COINS, 50, 51, 'OUT_OF_POINTS'],
    ['stops at a floor above zero', KEEP_FIVE, 10, 6, 'OUT_OF_POINTS'],
    ['reaches a floor above zero', KEEP_FIVE, 10, 5, 5],
    ['goes below zero where the floor does', OVERDRAFT, 0, 10, -10],
    ['stops at a floor below zero', OVERDRAFT, 0, 11, 'OUT_OF_POINTS'],
    ['ends at 0 in a system without a floor', BARE, 0, 500, 'OUT_OF_POINTS'],
    ['from a balance above the cap is allowed', COINS, 150, 10, 140],
    ['from a balance below the floor is refused', COINS, -5, 1, 'OUT_OF_POINTS'],
    ['from below 0 is refused in a system without a floor', BARE, -POINTS_LIMIT, 1, 'OUT_OF_POINTS'],
  ])('%s', (_title, rules, balance, amount, result) => {
    expect(spend(rules, balance, amount)).toBe(written(result));
  });
});

describe('an adjustment', () => {
  it.each<[string, System, number | bigint, number | bigint, Result]>([
    ['grants', COINS, 50, 20, 70],
    ['deducts', COINS, 50, -20, 30],
    ['reaches the cap', COINS, 50, 50, 100],
    ['above the cap is refused, not shortened', COINS, 50, 51, 'ABOVE_CAP'],
    ['may lower a balance above the cap', COINS, 150, -10, 140],
    ['may not raise a balance above the cap', COINS, 150, 1, 'ABOVE_CAP'],
    ['below the floor is refused, not shortened', COINS, 50, -51, 'OUT_OF_POINTS'],
    ['may raise a balance that stays below the floor', COINS, -50, 10, -40],
    ['reaches 2^53 − 1', BARE, 0, POINTS_LIMIT, POINTS_LIMIT],
    ['beyond the range is refused', BARE, 1, POINTS_LIMIT, 'BALANCE_OUT_OF_RANGE'],
    ['beyond the range below zero is refused', BARE, -1, -POINTS_LIMIT, 'BALANCE_OUT_OF_RANGE'],
  ])('%s', (_title, rules, balance, amount, result) => {
    expect(adjust(rules, balance, amount)).toBe(written(result));
  });
});

describe('a transaction', () => {
  it('is not boosted', () => {
    expect(adjust(system([], { boosts: [boost(5)] }), 0, 10)).toBe(10n);
  });

  it('counts the next entry', () => {
    expect(transact(COINS, account(10, 10, 7), { kind: 'spend', amount: 3n })).toMatchObject({
      posted: -3n,
      change: { before: { balance: 10n, version: 7n }, after: { balance: 7n, version: 8n } },
    });
  });

  it('counts what it grants as earned and not what it takes', () => {
    const granted = transact(COINS, account(10, 40), { kind: 'adjust', amount: 5n });
    const taken = transact(COINS, account(10, 40), { kind: 'adjust', amount: -5n });
    expect(granted).toMatchObject({ change: { after: { balance: 15n, earned: 45n } } });
    expect(taken).toMatchObject({ change: { after: { balance: 5n, earned: 40n } } });
  });

  it('changes the level', () => {
    const rules = system([], { levels: [level('bronze', 10)] });
    expect(transact(rules, account(10), { kind: 'spend', amount: 1n })).toMatchObject({
      change: { levelBefore: 'bronze', levelAfter: null },
    });
    expect(transact(rules, account(9), { kind: 'adjust', amount: 1n })).toMatchObject({
      change: { levelBefore: null, levelAfter: 'bronze' },
    });
  });

  it.each<[RefusalCode, number, bigint, Record<string, string>]>([
    ['OUT_OF_POINTS', 3, -5n, { balance: '3', amount: '-5', needed: '5' }],
    ['ABOVE_CAP', 98, 5n, { balance: '98', amount: '5', cap: '100' }],
  ])('refused as %s says with what numbers', (code, balance, amount, numbers) => {
    const detail = { system: 'xp', ...numbers };
    expect(transact(COINS, account(balance), { kind: 'adjust', amount })).toEqual({ outcome: 'refused', code, detail });
  });

  it('to spend less than nothing is no way to earn', () => {
    expect(() => transact(COINS, account(10), { kind: 'spend', amount: -5n })).toThrow(RangeError);
  });
});
