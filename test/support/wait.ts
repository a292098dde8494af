import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;

/** Waits until the condition holds; fails with `what` was waited for. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { what, timeoutMs = 30_000 }: { what: string; timeoutMs?: number },
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(POLL_MS);
  }
}
