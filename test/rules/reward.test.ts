import { describe, expect, it } from '@jest/globals';
import { decide } from '../../src/rules/decide.ts';
import type { Level, System, Trigger } from '../../src/rules/types.ts';
import {
  account,
  applied,
  boost,
  event,
  evolve,
  level,
  play,
  program,
  recall,
  system,
  trigger,
  user,
} from './build.ts';

const giving = (key: string, points: number, rewards: Record<string, number>): Level => ({
  ...level(key, points),
  rewards: Object.entries(rewards).map(([systemId, given]) => ({
    systemId,
    systemKey: systemId,
    points: BigInt(given),
  })),
});

const xp = (levels: Level[], triggers: Trigger[] = [trigger(1, 10)], rest: Parameters<typeof system>[1] = {}) =>
  system(triggers, { levels, ...rest });
const coins = (rest: Parameters<typeof system>[1] = {}): System => system([], { id: 'coins', ...rest });
const rewardsOf = (decision: ReturnType<typeof decide>) =>
  applied(decision).rewards.map(({ levelKey, targetId, amount, version }) => [levelKey, targetId, amount, version]);

describe('what levels give', () => {
  it('goes to who reaches them, the lowest first, beside the award', () => {
    const rules = program([xp([giving('one', 10, { coins: 5 }), giving('two', 20, { coins: 7, xp: 1 })]), coins()]);
    const decision = decide(rules, user(), event(2));
    expect(rewardsOf(decision)).toEqual([
      ['one', 'coins', 5n, 1n],
      ['two', 'coins', 7n, 2n],
      ['two', 'xp', 1n, 2n],
    ]);
    expect(applied(decision).systems).toMatchObject([
      { systemId: 'xp', after: { balance: 21n, version: 2n }, levelAfter: 'two' },
      { systemId: 'coins', before: { balance: 0n }, after: { balance: 12n, earned: 12n } },
    ]);
  });

  it('is given once, although the level is lost and reached again', () => {
    const rules = program([
      xp([giving('one', 10, { coins: 5 })], [trigger(1, 10), trigger(1, -10, { metricId: 'spent' })]),
      coins(),
    ]);
    const start = user();
    const first = decide(rules, start, event(1));
    const lost = evolve(evolve(start, first), decide(rules, evolve(start, first), { ...event(1), metricId: 'spent' }));
    const again = decide(
      rules,
      { ...lost, counter: first.outcome === 'applied' ? first.counter.after : lost.counter },
      event(1),
    );
    expect(rewardsOf(again)).toEqual([]);
    expect(applied(again).again).toEqual(['xp one']);
    expect(applied(again).systems).toMatchObject([{ levelBefore: null, levelAfter: 'one' }]);
  });

  it('may reach a level in turn, and ends where levels give in a circle', () => {
    const rules = program([
      xp([giving('a', 10, { coins: 100 }), giving('b', 1_000, { coins: 1 })]),
      coins({ levels: [giving('rich', 100, { xp: 990 }), giving('richer', 101, { coins: 1 })] }),
    ]);
    const decision = decide(rules, user(), event(1));
    expect(rewardsOf(decision).map(([key]) => key)).toEqual(['a', 'rich', 'b', 'richer']);
    expect(applied(decision).systems.map(({ after }) => after.balance)).toEqual([1_000n, 102n]);
  });

  it('is cut at the cap, and used up where nothing fits', () => {
    const rules = program([xp([giving('one', 10, { coins: 5 }), giving('two', 20, { coins: 5 })]), coins({ max: 7 })]);
    const { state, decisions } = play(rules, user(), [event(1), event(1)]);
    expect(decisions.map(rewardsOf)).toEqual([[['one', 'coins', 5n, 1n]], [['two', 'coins', 2n, 2n]]]);
    const full = { ...user({ balance: 9 }), accounts: new Map([['coins', account(7)]]) };
    expect(rewardsOf(decide(rules, full, event(1)))).toEqual([['one', 'coins', 0n, null]]);
    expect(state.rewarded).toEqual(new Set(['xp one', 'xp two']));
  });

  it('is not boosted', () => {
    const rules = program([xp([giving('one', 10, { coins: 5 })]), coins({ boosts: [boost(3)] })]);
    expect(rewardsOf(decide(rules, user(), event(1)))).toEqual([['one', 'coins', 5n, 1n]]);
  });

  it('goes by points earned where levels do', () => {
    const levels = [giving('one', 25, { coins: 5 })];
    const rules = program([xp(levels, [trigger(1, 10)], { levelBasis: 'earned' }), coins()]);
    const spent = user({ accounts: new Map([['xp', account(0, 20, 3)]]) });
    expect(rewardsOf(decide(rules, spent, event(1)))).toEqual([['one', 'coins', 5n, 1n]]);
  });

  it('is not given for what was held before, by a level that is there since', () => {
    const rules = program([xp([giving('one', 10, { coins: 5 })]), coins()]);
    expect(rewardsOf(decide(rules, user({ balance: 50 }), event(1)))).toEqual([]);
  });

  it('is decided again from what is kept', () => {
    const rules = program([xp([giving('one', 10, { coins: 5 })]), coins()]);
    for (const state of [user(), user({ rewarded: new Set(['xp one']) })]) {
      const decision = applied(decide(rules, state, event(1)));
      expect(decide(rules, recall(decision, event(1).at), event(1))).toEqual(decision);
    }
  });
});
