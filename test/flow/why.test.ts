import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { OnFloor, Period, Rounding, TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { bareEnv, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

let guerdon: TestGuerdon;
beforeAll(async () => {
  guerdon = await startGuerdon();
  const { admin, boosts, users } = guerdon;
  const lessons = (threshold: string, more: object = {}) =>
    ({ case: 'metric', value: { metricKey: 'lessons', threshold, ...more } }) as const;
  await admin.createTriggers({
    systemKey: 'xp',
    triggers: [
      { key: 'daily', points: 7n, type: lessons('2', { limits: { points: { most: 40n, per: Period.DAY } } }) },
      { key: 'rare', points: 5n, type: lessons('1', { limits: { cooldown: { seconds: 3_600n } } }) },
      { key: 'few', points: 3n, type: lessons('1', { limits: { awards: { most: 2n, per: Period.WEEK } } }) },
      { key: 'each', points: 2n, type: lessons('1', { limits: { oncePer: 'lesson_id' } }) },
      { key: 'repo', points: 4n, type: lessons('3', { eventAttributes: [{ key: 'repo', value: 'a' }] }) },
      { key: 'pro', points: 6n, type: lessons('1'), userAttributes: [{ key: 'plan', value: 'pro' }] },
      { key: 'off', points: 9n, type: lessons('1'), status: TriggerStatus.INACTIVE },
      { key: 'tax', points: -11n, type: lessons('4'), onFloor: OnFloor.CLAMP },
      { key: 'hello', points: 50n, type: { case: 'userCreation', value: {} } },
    ],
  });
  for (const id of ['u0', 'u1', 'u2']) {
    await users.createUser({ user: { id, tz: 'Asia/Tokyo', attributes: { plan: id === 'u1' ? 'pro' : 'free' } } });
  }
  await boosts.createBoosts({
    systemKey: 'xp',
    boosts: [
      { name: 'some days', multiplier: '1.5', start: '2024-06-16', end: '2024-06-18', rounding: Rounding.UP },
      { name: 'for u1', userId: 'u1', multiplier: '1.25', start: '2024-06-17', rounding: Rounding.UP },
      { name: 'energy', multiplier: '2', start: '2024-06-01', userAttributes: [{ key: 'plan', value: 'pro' }] },
    ],
  });
}, 60_000);
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const explain = (eventId: string) => guerdon.events.explainEvent({ lookup: { case: 'eventId', value: eventId } });

it('names the filter that failed, with what was asked for and what there was', async () => {
  const event = { metricKey: 'lessons', user: { id: 'u0' }, value: '1', attributes: { repo: 'b' } };
  const { eventId } = await guerdon.events.sendEvent(event);
  const { triggers, userAttributes } = await explain(eventId);
  const of = (key: string) => triggers.find(({ triggerKey }) => triggerKey === key);
  expect(of('repo')?.failedFilter).toMatchObject({ key: 'repo', expected: 'a', actual: 'b' });
  expect(of('pro')?.failedFilter).toMatchObject({ key: 'plan', expected: 'pro', actual: 'free' });
  expect(userAttributes).toEqual({ plan: 'free' });
});

it('is told on the command line too, in words', async () => {
  const event = { metricKey: 'lessons', user: { id: 'u1' }, value: '2', attributes: { lesson_id: 'z', repo: 'a' } };
  const { eventId } = await guerdon.events.sendEvent(event);
  const why = (id: string) =>
    promisify(execFile)(process.execPath, ['src/cli/guerdon.ts', 'why', id], {
      env: { ...bareEnv, DATABASE_URL: guerdon.database.url },
    });
  const { stdout } = await why(eventId);
  expect(stdout).toContain(`event ${eventId}`);
  expect(stdout).toMatch(/xp\/pro fired/);
  expect(stdout).toMatch(/2 × 6 = 12/);
  expect(stdout).toMatch(/× 1\.25 by boost "for u1"/);
  expect(stdout).toMatch(/xp\/off did not fire: it was inactive/);
  await expect(why('00000000-0000-4000-8000-000000000000')).rejects.toThrow('is stored');
  await expect(why('nonsense')).rejects.toThrow('UUID');
});

it('a refused event says why by its refusal', async () => {
  const { admin, events } = guerdon;
  const files = { case: 'metric', value: { metricKey: 'files', threshold: '1' } } as const;
  await admin.createTriggers({ systemKey: 'coins', triggers: [{ key: 'price', points: -900n, type: files }] });
  const key = { userId: 'u0', metricKey: 'files', idempotencyKey: 'refused' };
  const event = { metricKey: 'files', user: { id: 'u0' }, value: '1', idempotencyKey: 'refused' };
  await expect(events.sendEvent(event)).rejects.toThrow('points are needed');
  const { event: told, triggers } = await events.explainEvent({ lookup: { case: 'key', value: key } });
  expect([told?.refusal?.message, triggers]).toEqual([expect.stringContaining('900 points are needed'), []]);
});
