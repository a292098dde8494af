import { describe, expect, it } from '@jest/globals';
import { decide } from '../../src/rules/decide.ts';
import { levelOf, nextLevelOf } from '../../src/rules/level.ts';
import type { LevelBasis, Trigger } from '../../src/rules/types.ts';
import { account, applied, event, level, program, system, trigger, user } from './build.ts';

const LADDER = [level('bronze', 10), level('silver', 20), level('gold', 50)];
const WITH_STARTER = [level('starter', 0), ...LADDER];
const ALLOW = { onFloor: 'allow' } as const;

describe('the level', () => {
  it.each<[string, number, string | null, string | null]>([
    ['is none below the lowest', 9, null, 'bronze'],
    ['is reached exactly at its threshold', 10, 'bronze', 'silver'],
    ['is kept up to the next', 19, 'bronze', 'silver'],
    ['is the highest reached', 49, 'silver', 'gold'],
    ['above the highest is the highest', 5_000, 'gold', null],
    ['is none below zero', -1, null, 'bronze'],
  ])('%s', (_title, balance, now, next) => {
    const ladder = system([], { levels: LADDER });
    expect(levelOf(ladder, account(balance))?.key ?? null).toBe(now);
    expect(nextLevelOf(ladder, account(balance))?.key ?? null).toBe(next);
  });

  it('is the last listed of two with the same threshold', () => {
    const twins = system([], { levels: [level('first', 10), level('second', 10)] });
    expect([levelOf(twins, account(10))?.key, nextLevelOf(twins, account(9))?.key]).toEqual(['second', 'first']);
  });

  it('is none in a system without levels', () => {
    expect([levelOf(system([]), account(10)), nextLevelOf(system([]), account(10))]).toEqual([null, null]);
  });

  it.each<[string, LevelBasis, number, number, Trigger[], string | null, string | null]>([
    // basis, balance before, earned before, triggers → level before, level after
    ['rises with the balance', 'balance', 9, 9, [trigger(1, 1)], null, 'bronze'],
    ['rises over several at once', 'balance', 0, 0, [trigger(1, 60)], null, 'gold'],
    ['falls with the balance', 'balance', 20, 20, [trigger(1, -1)], 'silver', 'bronze'],
    ['falls below every level', 'balance', 10, 10, [trigger(1, -1)], 'bronze', null],
    ['stays within its bounds', 'balance', 10, 10, [trigger(1, 5)], 'bronze', 'bronze'],
    ['counts only the end of an event', 'balance', 15, 15, [trigger(1, 10), trigger(1, -10)], 'bronze', 'bronze'],
    ['by points earned rises with them', 'earned', 0, 19, [trigger(1, 1)], 'bronze', 'silver'],
    ['by points earned does not fall', 'earned', 30, 30, [trigger(1, -25)], 'silver', 'silver'],
    ['by points earned ignores the balance', 'earned', -40, 49, [trigger(1, 1)], 'silver', 'gold'],
  ])('%s', (_title, levelBasis, balance, earned, triggers, levelBefore, levelAfter) => {
    const state = user({ accounts: new Map([['xp', account(balance, earned)]]) });
    const { systems } = applied(decide(program(system(triggers, { levels: LADDER, levelBasis })), state, event(1)));
    expect(systems[0]).toMatchObject({ levelBefore, levelAfter });
  });

  it('of zero points is there before the first award', () => {
    const rules = program(system([trigger(1, 3)], { levels: WITH_STARTER }));
    expect(applied(decide(rules, user(), event(1))).systems[0]).toMatchObject({
      levelBefore: 'starter',
      levelAfter: 'starter',
    });
  });

  it('of zero points is lost below zero', () => {
    const rules = program(system([trigger(1, -3, ALLOW)], { levels: WITH_STARTER }));
    expect(applied(decide(rules, user(), event(1))).systems[0]?.levelAfter).toBeNull();
  });

  it('is not lifted by what the cap withheld', () => {
    const rules = program(system([trigger(1, 30)], { levels: LADDER, levelBasis: 'earned', max: 15 }));
    expect(applied(decide(rules, user(), event(1))).systems[0]?.levelAfter).toBe('bronze');
  });
});
