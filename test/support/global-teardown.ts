import { rm } from 'node:fs/promises';

export default async function globalTeardown(): Promise<void> {
  const running = (globalThis as { guerdonTest?: { dir: string; stops: (() => Promise<void>)[] } }).guerdonTest;
  if (running === undefined) return;
  for (const stop of running.stops.reverse()) await stop();
  await rm(running.dir, { recursive: true, force: true });
}
