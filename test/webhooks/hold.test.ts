import { expect, it } from '@jest/globals';
import { admit, type Hold, type PointsChange, together } from '../../src/webhooks/hold.ts';

const MINUTE = 60_000;
const intervalMs = 15 * MINUTE;

function change(id: number, added: string, total: string, from: string | null = null, to = from): PointsChange {
  return { system: '1', added, total, from, to, causes: [{ kind: 'event', id: `e${id}`, program: id }] };
}

function told(id: number, payload: PointsChange) {
  return { eventId: String(id), payload, createdAt: id };
}

it('tells the first change at once, and those of the interval together', () => {
  const first = admit(undefined, told(1, change(1, '10', '10')), { now: 0, intervalMs });
  expect(first).toEqual({ told: told(1, change(1, '10', '10')), hold: { until: intervalMs, held: null } });
  const second = admit(first.hold, told(2, change(2, '-4', '6')), { now: MINUTE, intervalMs });
  expect(second).toEqual({ told: null, hold: { until: intervalMs, held: told(2, change(2, '-4', '6')) } });
  const third = admit(second.hold, told(3, change(3, '20', '26', null, 'novice')), { now: 2 * MINUTE, intervalMs });
  const both = {
    ...change(3, '16', '26', null, 'novice'),
    causes: [
      { kind: 'event' as const, id: 'e2', program: 2 },
      { kind: 'event' as const, id: 'e3', program: 3 },
    ],
  };
  expect(third).toEqual({ told: null, hold: { until: intervalMs, held: told(3, both) } });
});

it('tells what was held with the first change after the interval, and begins another', () => {
  const hold: Hold = { until: intervalMs, held: told(2, change(2, '5', '15', 'a', 'b')) };
  const { told: all, hold: next } = admit(hold, told(3, change(3, '5', '20', 'b', 'c')), {
    now: intervalMs,
    intervalMs,
  });
  expect(all).toMatchObject({ eventId: '3', payload: { added: '10', total: '20', from: 'a', to: 'c' } });
  expect(next).toEqual({ until: 2 * intervalMs, held: null });
});

it('names the last hundred causes, and adds up all of them', () => {
  const many = Array.from({ length: 250 }, (_, index) => change(index, '1', String(index + 1)));
  const all = many.reduce(together);
  expect(all).toMatchObject({ added: '250', total: '250' });
  expect(all.causes.map(({ program }) => program)).toEqual(Array.from({ length: 100 }, (_, index) => index + 150));
});
