import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LimitKind, type TriggerExplanation, WhyNot } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import { OnFloor, Period, Rounding, TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
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

const anyEvent = fc.record({
  user: fc.constantFrom('u0', 'u1', 'u2', 'u3').map((id) => ({ id })),
  value: fc.constantFrom('1', '2', '3', '-1', '0', '0.5', '12'),
  attributes: fc.dictionary(fc.constantFrom('lesson_id', 'repo'), fc.constantFrom('a', 'b', 'c'), {
    noNullPrototype: true,
  }),
  minute: fc.integer({ min: 0, max: 6 * 24 * 60 }),
});

const START = Date.parse('2024-06-15T00:00Z');
const explain = (eventId: string) => guerdon.events.explainEvent({ lookup: { case: 'eventId', value: eventId } });

/** What the rules alone would have paid, computed from the numbers that are told. */
function boostedAlone({ base, boosts, rounding }: TriggerExplanation): bigint {
  const scaled = boosts.reduce(
    (product, { multiplier }) => {
      const [whole = '', fraction = ''] = multiplier.split('.');
      return {
        number: product.number * BigInt(whole + fraction),
        scale: product.scale * 10n ** BigInt(fraction.length),
      };
    },
    { number: BigInt(base), scale: 1n },
  );
  const floor = scaled.number / scaled.scale;
  return rounding === Rounding.UP && scaled.number % scaled.scale !== 0n ? floor + 1n : floor;
}

it('says of 1,000 random events what adds up to what was paid, and what was held back to what the rules alone would have paid', async () => {
  const events = fc.sample(anyEvent, { seed: 31, numRuns: 1_000 }).map(({ minute, ...event }, index) => ({
    ...event,
    metricKey: 'lessons',
    idempotencyKey: `k${index}`,
    occurredAt: timestampFromMs(START + minute * 60_000),
  }));
  const seen = new Set<string>();
  for (let at = 0; at < events.length; at += 250) {
    const { results } = await guerdon.events.sendEvents({ events: events.slice(at, at + 250) });
    for (const { result } of results) {
      if (result.case !== 'event') throw new Error(`not applied: ${result.value?.message}`);
      const { triggers, event } = await explain(result.value.eventId);
      for (const [key, { added, withheld }] of Object.entries(result.value.points)) {
        const own = triggers.filter((trigger) => trigger.systemKey === key && trigger.whyNot === WhyNot.UNSPECIFIED);
        expect(own.reduce((sum, { amount }) => sum + amount, 0n)).toBe(added);
        const held = own.map(({ heldByLimit, heldByCap }) => BigInt(heldByLimit) + BigInt(heldByCap));
        expect(held.reduce((sum, one) => sum + one, 0n)).toBe(withheld);
      }
      for (const trigger of triggers) {
        seen.add(`${trigger.whyNot} ${trigger.limit} ${trigger.heldByCap === '0' || trigger.heldByCap === ''}`);
        if (trigger.whyNot !== WhyNot.UNSPECIFIED) continue;
        expect(BigInt(trigger.base)).toBe(BigInt(trigger.fires) * trigger.points);
        expect(BigInt(trigger.boosted)).toBe(boostedAlone(trigger));
        expect(BigInt(trigger.heldByLimit) + BigInt(trigger.heldByCap) + trigger.amount).toBe(BigInt(trigger.boosted));
      }
      const keys = triggers.filter(({ systemKey }) => systemKey === 'xp').map(({ triggerKey }) => triggerKey);
      const expected = ['lesson', 'daily', 'rare', 'few', 'each', 'repo', 'pro', 'off', 'tax'];
      expect(keys.filter((key) => key !== 'hello')).toEqual(expected);
      expect(event?.id).toBe(result.value.eventId);
    }
  }
  for (const why of [WhyNot.INACTIVE, WhyNot.EVENT_ATTRIBUTES, WhyNot.USER_ATTRIBUTES, WhyNot.BELOW_THRESHOLD]) {
    expect([...seen].some((one) => one.startsWith(`${why} `))).toBe(true);
  }
  for (const limit of [LimitKind.AWARDS, LimitKind.POINTS, LimitKind.COOLDOWN, LimitKind.ONCE]) {
    expect([...seen].some((one) => one.includes(` ${limit} `))).toBe(true);
  }
  expect([...seen].some((one) => one.endsWith('false'))).toBe(true);
}, 120_000);

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
      env: { PATH: process.env.PATH, DATABASE_URL: guerdon.database.url },
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
