import { expect, it } from '@jest/globals';
import { race } from '../support/lanes.ts';

it.each([
  [2, 1_000],
  [4, 1_000],
  [2, 100_000],
  [4, 100_000],
])('lanes: %d worker processes and %d users, under 1 %% of attempts meet a conflict', async (workers, users) => {
  const met = await race(workers, users, 600);
  process.stdout.write(`lanes: ${workers} workers, ${users} users: ${JSON.stringify(met)}\n`);
  expect(met.begun).toBeGreaterThan(300);
  expect(met.ratio).toBeLessThan(0.01);
});
