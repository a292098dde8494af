import { expect, it } from '@jest/globals';
import { askedFor, DEAD_AFTER_MS, DEAD_FAILURES, retryAt, TRIES_MAX } from '../../src/webhooks/retry.ts';

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

it('comes no sooner than the receiver asks for, and a day later at most', () => {
  const day = 24 * 3_600_000;
  const now = Date.parse('2026-11-24T12:00:00Z');
  expect(retryAt(1, now, 0.5, now + 60_000)).toBe(now + 60_000);
  expect(retryAt(1, now, 0.5, now + 1)).toBe(now + 5_000);
  expect(retryAt(1, now, 0.5, now - day)).toBe(now + 5_000);
  expect(retryAt(1, now, 0.5, now + 3 * day)).toBe(now + day);
  expect(retryAt(TRIES_MAX, now, 0.5, now + 60_000)).toBeNull();
  const seconds = (text: string, status = 429) => {
    const at = askedFor(status, text, now);
    return at === null ? null : (at - now) / 1_000;
  };
  expect(['0', '120', ' 7 ', '9'.repeat(400)].map((text) => seconds(text))).toEqual([0, 120, 7, 86_400]);
  expect(seconds('Tue, 24 Nov 2026 12:02:00 GMT', 503)).toBe(120);
  expect(['', '-5', '1.5', 'soon', '1e3', '\0', 'Tue, nonsense'].map((text) => seconds(text))).toEqual(
    Array(7).fill(null),
  );
  expect(seconds('120', 500)).toBeNull();
  expect(askedFor(null, '120', now)).toBeNull();
  expect(askedFor(429, undefined, now)).toBeNull();
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
