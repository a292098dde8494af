import { expect, it } from '@jest/globals';
import { startTimed } from '../support/clock.ts';

const METRICS = [{ key: 'lessons', name: 'Lessons' }];

function economy(trigger: object): object {
  const lesson = { key: 'lesson', metric: 'lessons', threshold: 10, points: 1, ...trigger };
  return {
    metrics: METRICS,
    userAttributes: [{ key: 'plan', name: 'Plan' }],
    eventAttributes: [{ key: 'kind', name: 'Kind' }],
    systems: [{ key: 'gold', name: 'Gold', triggers: [lesson] }],
  };
}

/** A step: an economy to apply, a plan of the user, or a value to send and what it must add. */
type Step = { trigger: object } | { plan: string } | { send: string; adds: number };
const send = (value: string, adds: number): Step => ({ send: value, adds });

it.each<[string, Step[]]>([
  [
    'a threshold goes from 10 to 5 to 20',
    [
      { trigger: {} },
      send('9', 0),
      // 9 of 10: at 5 the boundary of 5 is passed already.
      { trigger: { threshold: 5 } },
      send('0.5', 0),
      send('0.5', 1),
      send('7', 1),
      // 17: the next boundary of 20 is 20, whatever was paid below it.
      { trigger: { threshold: 20 } },
      send('2.9', 0),
      send('0.1', 1),
      send('39.9', 1),
      { trigger: {} },
      send('0.1', 1),
    ],
  ],
  [
    'a trigger pauses and resumes',
    [
      { trigger: {} },
      send('9', 0),
      { trigger: { status: 'inactive' } },
      send('30', 0),
      { trigger: {} },
      send('0.9', 0),
      send('0.1', 1),
      send('-20', 0),
      send('20', 0),
      send('25', 2),
    ],
  ],
  [
    'a user comes to match, and to match no more',
    [
      { trigger: { userAttributes: { plan: 'pro' } } },
      send('39', 0),
      { plan: 'pro' },
      send('1', 1),
      { plan: 'free' },
      send('15', 0),
      { plan: 'pro' },
      send('4', 0),
      send('1', 1),
    ],
  ],
  [
    'a trigger gets points and filters on events, which it counts by itself',
    [
      { trigger: {} },
      send('25', 2),
      { trigger: { points: 100 } },
      send('4', 0),
      send('1', 100),
      { trigger: { eventAttributes: { kind: 'quiz' } } },
      send('30', 0),
      { trigger: {} },
      send('9', 0),
      send('1', 1),
    ],
  ],
])('when %s nothing is paid for the past, and no remainder is lost', async (_, steps) => {
  const guerdon = await startTimed('2024-03-01T00:00Z');
  let must = 0;
  for (const [place, step] of steps.entries()) {
    if ('trigger' in step) await guerdon.apply(economy(step.trigger));
    else if ('plan' in step) {
      await guerdon.users.identifyUser({ user: { id: 'ada', attributes: { plan: step.plan } } });
    } else {
      const { points } = await guerdon.send('ada', { value: step.send });
      expect([place, points.gold?.added ?? 0n]).toEqual([place, BigInt(step.adds)]);
      must += step.adds;
    }
    if (place > 1) expect(await guerdon.balance('ada', 'gold')).toBe(must);
    guerdon.move(60_000);
  }
  await guerdon.finish();
});
