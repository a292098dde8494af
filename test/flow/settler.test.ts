import { expect, it } from '@jest/globals';
import { addUsers } from '../support/boosts.ts';
import { DAY, HOUR, startTimed, type TimedGuerdon, written } from '../support/clock.ts';
import { balancesOf } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

const METRICS = { metrics: [{ key: 'lessons', name: 'Lessons' }] };

/** One points system, `gold`, in which each hour gives a point. */
function hourlyGold(more: object = {}): object {
  const hourly = { key: 'hourly', type: 'time', every: '1h', points: 1, ...more };
  return { ...METRICS, systems: [{ key: 'gold', name: 'Gold', triggers: [hourly] }] };
}

const clocks = async ({ database }: TimedGuerdon, where = 'true') =>
  (await database.pool.query(`select count(*)::int from clocks where ${where}`)).rows[0].count as number;
const settlements = async ({ database }: TimedGuerdon) =>
  (await database.pool.query('select count(*)::int from settlements')).rows[0].count as number;

it('what nobody touches is settled by the workers after 24 hours, also for users who were there before the trigger', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply(METRICS);
  const users = await addUsers(guerdon.database, 600, 'UTC');
  await guerdon.database.pool.query(`update users set created_at = '2024-02-29T00:00Z'`);
  await guerdon.apply(hourlyGold());
  await guerdon.letSettle();
  await until(async () => (await clocks(guerdon)) === 600, { what: 'a clock of every user' });
  expect(await settlements(guerdon)).toBe(0);
  guerdon.move(24 * HOUR + HOUR / 2);
  await guerdon.send('user7');
  expect(await settlements(guerdon)).toBe(1);
  guerdon.move(HOUR / 2 + 1);
  const due = `due_at < '2024-03-02T00:00Z'`;
  await until(async () => (await clocks(guerdon, due)) === 0, { what: 'nothing that is long due' });
  expect(await settlements(guerdon)).toBe(600);
  expect(await balancesOf(guerdon.database, 'gold')).toEqual(
    Object.fromEntries(users.map((user) => [user, user === 'user7' ? 24 : 25])),
  );
  for (const user of ['user1', 'user7']) expect(await guerdon.balance(user, 'gold')).toBe(25);
  await guerdon.finish();
}, 60_000);

it('the walk costs a user with nothing due no row but a clock, and later nothing at all', async () => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  await guerdon.apply({ ...METRICS, userAttributes: [{ key: 'plan', name: 'Plan' }] });
  await addUsers(guerdon.database, 2_050, 'UTC');
  await guerdon.database.pool.query(`update users set created_at = '2024-02-29T00:00Z'`);
  const before = await written(guerdon.database);
  const pro = { userAttributes: { plan: 'pro' } };
  await guerdon.apply({ ...hourlyGold(pro), userAttributes: [{ key: 'plan', name: 'Plan' }] });
  await guerdon.letSettle();
  const done = async () => (await guerdon.database.pool.query('select from clock_walks where done')).rowCount === 1;
  await until(done, { what: 'the end of the walk' });
  expect([await clocks(guerdon), await clocks(guerdon, 'due_at is not null')]).toEqual([2_050, 0]);
  const walked = await written(guerdon.database);
  for (const table of ['entries', 'settlements', 'commands', 'user_commands', 'events', 'outbox', 'level_changes']) {
    expect([table, walked[table]]).toEqual([table, before[table]]);
  }
  guerdon.move(30 * DAY);
  await guerdon.send('user3', { profile: { attributes: { plan: 'pro' } } });
  guerdon.move(DAY + 2 * HOUR);
  await until(async () => (await settlements(guerdon)) === 1, { what: 'the one user for whom something is due' });
  expect(await balancesOf(guerdon.database, 'gold')).toMatchObject({ user3: 26 });
  const untouched = `settled_at = '2024-03-01T00:00Z'`;
  expect(await clocks(guerdon, untouched)).toBe(2_049);
  await guerdon.finish();
}, 60_000);
