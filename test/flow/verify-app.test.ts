import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DAY, HOUR, startTimed, type TimedGuerdon } from '../support/clock.ts';
import { faultAfter } from '../support/ledger.ts';

let guerdon: TimedGuerdon;
beforeAll(async () => {
  guerdon = await startTimed('2024-03-01T00:00Z');
  const triggers = [
    { key: 'hourly', type: 'time', every: '1h', points: 1 },
    { key: 'day', type: 'streak', length: 1, points: 2 },
    { key: 'tour', type: 'achievement', achievement: 'tour', points: 50 },
    { key: 'ten', type: 'achievement', achievement: 'ten', points: 50 },
  ];
  const level = (points: number) => ({ key: `l${points}`, name: 'L', points, rewards: { coins: points } });
  await guerdon.apply({
    metrics: [{ key: 'lessons', name: 'Lessons' }],
    streak: { frequency: 'daily' },
    achievements: [
      { key: 'tour', name: 'Tour', type: 'api' },
      { key: 'ten', name: 'Ten', type: 'metric', metric: 'lessons', total: 10 },
    ],
    systems: [
      { key: 'gold', name: 'Gold', triggers, levels: [20, 90, 300].map(level) },
      { key: 'coins', name: 'Coins' },
    ],
  });
  await guerdon.send('ada');
  // 24 ticks reach the first level, what the app completes the second, an adjustment the third.
  guerdon.move(DAY);
  await guerdon.send('ada');
  await guerdon.achievements.completeAchievement({ user: { id: 'ada' }, achievementKey: 'tour' });
  await guerdon.send('ada', { value: '10' });
  guerdon.move(5 * HOUR);
  const adjust = { userId: 'ada', systemKey: 'gold', amount: 500n, reason: 'r', idempotencyKey: 'k' };
  await guerdon.points.adjustPoints(adjust);
  guerdon.move(DAY);
  await guerdon.send('ada');
});
afterAll(() => guerdon.finish());

const settled = `record = jsonb_set(record, '{runs,0,amount}', '"25"')`;
const first = 'where user_id = 1 and id = (select id from settlements order by until limit 1)';
const last = 'where user_id = 1 and id = (select id from settlements order by until desc limit 1)';

it('finds nothing where nothing is wrong', async () => {
  expect(await faultAfter(guerdon.database, 'select 1')).toBeUndefined();
});

it.each([
  [
    'a changed settlement',
    `update settlements set ${settled} ${first}`,
    /^settlements \(1, .*\): its program and inputs/,
  ],
  [
    'a settlement that begins earlier',
    `update settlements set record = jsonb_set(record, '{clocks}',
      (select jsonb_object_agg(key, jsonb_build_array(0, value->1)) from jsonb_each(record->'clocks'))) ${last}`,
    /^settlements \(1, .*\): it settles system \d+ from 0, which was settled until/,
  ],
  [
    'a settlement taken out',
    `delete from settlements ${first}`,
    /^level_rewards \(1, \d+, l20\): the level has given nothing/,
  ],
  [
    'a clock set back',
    `update clocks set settled_at = settled_at - interval '5 hours' where user_id = 1`,
    /^clocks \(1, \d+\): it is settled until .*Z; settlements have settled it until .*Z/,
  ],
  ['a clock taken out', 'delete from clocks where user_id = 1', /^clocks \(1, \d+\): .*missing/],
  [
    'a changed completion',
    `update completions set decision = jsonb_set(decision, '{fired,0,amount}', '"51"') where not by_event`,
    /^completions \(1, .*\): its program and inputs/,
  ],
  [
    'a completion by the app taken out',
    'delete from completions where not by_event',
    /^(entries|level_rewards|completions) \(1, /,
  ],
  ['a completion by an event taken out', 'delete from completions where by_event', /^events \(1, .*\): the rows say/],
  [
    'a completion by an event that is said to be backdated',
    'update completions set backdated = true where by_event',
    /^events \(1, .*\): the rows say/,
  ],
  [
    'a completion that nothing decided',
    `insert into completions select user_id, gen_random_uuid(), (select id from events order by seq limit 1), true, at,
      created_at, 0, program_version, false, null from completions where by_event`,
    /^events \(1, .*\): the rows say/,
  ],
  [
    'a completion by an event that there is not',
    `insert into completions select user_id, gen_random_uuid(), gen_random_uuid(), true, at,
      created_at, 0, program_version, false, null from completions where by_event`,
    /^completions \(1, .*\): there is no event/,
  ],
  [
    'a streak made longer',
    'update streak_runs set first_period = first_period - 1 where user_id = 1',
    /^streak_runs \(1, daily, \d+ to \d+\): its events/,
  ],
  [
    'a streak taken out',
    'delete from streak_runs where user_id = 1',
    /^streak_runs \(1, .*\): its events give it, but/,
  ],
  [
    'a streak that nobody had',
    `insert into streak_runs values (1, 'weekly', 5, 9)`,
    /^streak_runs \(1, weekly, 5 to 9\): its events do not give it/,
  ],
  [
    'a level that is said not to have given',
    `delete from level_rewards where level_key = 'l90'`,
    /^level_rewards \(1, \d+, l90\): the level has given, but the row is missing/,
  ],
  [
    'a level that is said to have given',
    `insert into level_rewards select user_id, system_id, 'l1', created_at from level_rewards where level_key = 'l90'`,
    /^level_rewards \(1, \d+, l1\): the level has given nothing/,
  ],
  [
    'a reward taken out',
    `delete from entries where kind = 'reward' and amount = 300`,
    /^accounts \(1, \d+\): version is 3, its entries give 2/,
  ],
  [
    'a changed reward of an adjustment',
    `update commands set decision = jsonb_set(decision, '{rewards,0,amount}', '"301"') where kind = 'adjust'`,
    /^(entries|commands) \(1, /,
  ],
  [
    'another program behind the ticks',
    `update programs set snapshot = jsonb_set(snapshot, '{systems,0,triggers,0,points}', '"2"') where version > 1`,
    /^settlements \(1, .*\): its program and inputs/,
  ],
])('names the first wrong row after %s', async (_what, tampering, fault) => {
  expect(await faultAfter(guerdon.database, tampering)).toMatch(fault);
});
