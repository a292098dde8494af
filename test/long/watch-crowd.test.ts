import { expect, it } from '@jest/globals';
import { holdUnread, watchInCrowd } from '../support/watching.ts';

it('500 watchers miss nothing of 2,000 changes, and those who do not read hold up none of them', async () => {
  await watchInCrowd(20);
}, 60_000);

it('a process holds no more when ten times as many changes are not read', async () => {
  const { few, many, unread } = await holdUnread(200);
  process.stdout.write(`watched: ${JSON.stringify({ few, many, unread })}\n`);
  expect(unread).toBeGreaterThan(100_000_000);
  expect(many.used - few.used).toBeLessThan(unread / 20);
  expect(many.resident - few.resident).toBeLessThan(unread / 2);
}, 60_000);
