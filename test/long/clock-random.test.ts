import { expect, it } from '@jest/globals';
import { DAY, HOUR, startTimed, type TimedGuerdon } from '../support/clock.ts';

/** The same numbers from the same seed, from 0 to below `below`. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof randomFrom>;
const oneOf = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T;

function randomTrigger(random: Random, key: string, capped: boolean): object {
  const points = oneOf(random, [1, 2, 5, 5, -1, -3]);
  return {
    key,
    type: 'time',
    every: oneOf(random, ['1h', '2h', '5h', '1d']),
    points,
    ...(points > 0 && capped && random(3) === 0 && { runs: 'below_cap' }),
    status: oneOf(random, ['active', 'active', 'active', 'inactive']),
    onFloor: oneOf(random, ['refuse', 'clamp', 'allow']),
    ...(random(4) === 0 && { userAttributes: { plan: 'pro' } }),
  };
}

function randomEconomy(random: Random): object {
  return {
    timeZone: oneOf(random, ['UTC', 'UTC', 'Europe/Berlin']),
    metrics: [{ key: 'lessons', name: 'Lessons' }],
    userAttributes: [{ key: 'plan', name: 'Plan' }],
    systems: ['gold', 'silver', 'energy'].map((key) => {
      const maxPoints = key === 'energy' ? oneOf(random, [10, 25]) : oneOf(random, [null, 40, 1_000]);
      const triggers = ['a', 'b', 'c'].slice(0, random(4));
      return {
        key,
        name: key,
        maxPoints,
        minPoints: oneOf(random, [null, 0, 3]),
        triggers: triggers.map((trigger) => randomTrigger(random, trigger, maxPoints !== null)),
      };
    }),
  };
}

function randomBoost(random: Random, now: number): object {
  const multiplier = oneOf(random, ['0.5', '1.5', '2', '3']);
  const exclusive = random(5) === 0;
  const from = now + (random(6) - 2) * DAY;
  const to = from + (1 + random(4)) * DAY;
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const seconds = (at: number) => ({ seconds: BigInt(Math.floor(at / 1_000)), nanos: 0 });
  return random(2) === 0
    ? { name: 'b', multiplier, exclusive, start: day(from), ...(random(2) === 0 && { end: day(to) }) }
    : { name: 'b', multiplier, exclusive, startTime: seconds(from), endTime: seconds(to) };
}

/** By points system: what there is and was ever earned, and when the clock changes it. */
async function shown({ points }: TimedGuerdon, userId: string): Promise<object[]> {
  const { points: all } = await points.listUserPoints({ userId });
  return all.map(({ key, total, earned, nextAt, fullAt }) => ({ key, total, earned, nextAt, fullAt }));
}

it.each([11, 12, 13])(
  'it makes no difference how often a user is settled (seed %i)',
  async (seed) => {
    const random = randomFrom(seed * 7_919);
    const guerdon = await startTimed('2024-02-20T00:00Z');
    const users = ['often', 'late'];
    const made: string[] = [];
    await guerdon.apply(randomEconomy(random));
    for (const id of users) await guerdon.users.createUser({ user: { id, tz: 'Europe/Berlin' } });
    /** The same for both. */
    const both = async (work: (user: string) => Promise<unknown>) => {
      const results = await Promise.allSettled([work('often'), work('late')]);
      expect(new Set(results.map(({ status }) => status)).size).toBe(1);
    };
    for (let step = 0; step < 50; step += 1) {
      guerdon.move(random(oneOf(random, [HOUR, 10 * HOUR, 5 * DAY])) + 1);
      await guerdon.send('often', { value: '0' });
      const [often, late] = await Promise.all(users.map((user) => shown(guerdon, user)));
      expect({ step, points: late }).toEqual({ step, points: often });
      const now = guerdon.running.context.now();
      switch (random(12)) {
        case 0:
        case 1:
          await guerdon.apply(randomEconomy(random));
          break;
        case 2:
          await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts: [randomBoost(random, now)] });
          break;
        case 3: {
          const boost = randomBoost(random, now);
          const boosts = users.map((userId) => ({ ...boost, userId }));
          const { created } = await guerdon.boosts.createBoosts({ systemKey: 'gold', boosts });
          if (created.length === 2) made.push(...created.map(({ id }) => id));
          break;
        }
        case 4:
          if (made.length > 0) await guerdon.boosts.deleteBoosts({ ids: made.splice(0, 2) });
          break;
        case 5: {
          const tz = oneOf(random, ['Asia/Tokyo', 'America/Los_Angeles', 'Europe/Berlin']);
          await both((id) => guerdon.users.updateUser({ user: { id, tz } }));
          break;
        }
        case 6: {
          const plan = oneOf(random, ['pro', 'free']);
          await both((id) => guerdon.users.updateUser({ user: { id, attributes: { plan } } }));
          break;
        }
        case 7: {
          const spend = { systemKey: 'gold', amount: BigInt(1 + random(20)), idempotencyKey: `s${step}` };
          await both((userId) => guerdon.points.spendPoints({ ...spend, userId }));
          break;
        }
        case 8: {
          const grant = { systemKey: 'energy', amount: BigInt(1 + random(9)), reason: 'r', idempotencyKey: `a${step}` };
          await both((userId) => guerdon.points.adjustPoints({ ...grant, userId }));
        }
      }
    }
    await guerdon.send('late');
    await guerdon.send('often');
    const [often, late] = await Promise.all(users.map((user) => shown(guerdon, user)));
    expect(late).toEqual(often);
    await guerdon.finish();
  },
  60_000,
);
