import { expect, it } from '@jest/globals';
import { holdUnread, watchInCrowd } from '../support/watching.ts';

it('500 watchers miss nothing of 30,000 changes', async () => {
  await watchInCrowd(300);
});

it('a process holds no more when ten times as many changes are not read', async () => {
  const { few, many, unread } = await holdUnread(2_000);
  process.stdout.write(`watched: ${JSON.stringify({ few, many, unread })}\n`);
  expect(many.used - few.used).toBeLessThan(unread / 100);
  expect(many.resident - few.resident).toBeLessThan(unread / 10);
});
