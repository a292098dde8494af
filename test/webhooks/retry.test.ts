import { expect, it } from '@jest/globals';
import { DEAD_AFTER_MS, DEAD_FAILURES, retryAt, TRIES_MAX } from '../../src/webhooks/retry.ts';

const middle = Array.from({ length: TRIES_MAX - 1 }, (_, index) => retryAt(index + 1, 0, 0.5) as number);

it('tries again after 5 s, 30 s, 2 min, 10 min, 1 h, 3 h, 6 h, 12 h and three times 24 h, then no more', () => {
  const hours = (count: number) => count * 3_600;
  const seconds = [5, 30, 120, 600, hours(1), hours(3), hours(6), hours(12), hours(24), hours(24), hours(24)];
  expect(middle.map((delay) => delay / 1_000)).toEqual(seconds);
  expect(retryAt(TRIES_MAX, 0, 0.5)).toBeNull();
});

it('comes a fifth sooner or later', () => {
  for (const [index, delay] of middle.entries()) {
    expect(retryAt(index + 1, 1_000, 0)).toBe(1_000 + Math.round(delay * 0.8));
    expect(retryAt(index + 1, 1_000, 1)).toBe(1_000 + Math.round(delay * 1.2));
  }
});

it('calls a webhook dead before it gives up the first of its deliveries', () => {
  const soonest = middle.map((delay) => delay * 0.8);
  const failedAt = soonest.map((_, index) => soonest.slice(0, index + 1).reduce((sum, delay) => sum + delay, 0));
  const dead = failedAt.findIndex((at) => at >= DEAD_AFTER_MS);
  expect(dead).toBeGreaterThan(-1);
  // The attempt at that time is not the last, and by then there were enough of them.
  expect(dead + 2).toBeLessThanOrEqual(TRIES_MAX);
  expect(dead + 2).toBeGreaterThanOrEqual(DEAD_FAILURES);
});
