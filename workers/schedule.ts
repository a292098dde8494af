import { setTimeout as sleep } from 'node:timers/promises';
import { advanceBoosts, nextDue } from '../src/commands/boosts/advance-boosts.ts';
import { resolveWindows } from '../src/commands/boosts/resolve-windows.ts';
import type { Context } from '../src/context.ts';
import type { JobWorker } from '../src/queue/backend.ts';

/** Boosts of each kind that one statement claims: a worker that dies leaves so many to be claimed again. */
const CLAIM_MAX = 1_000;

/** What is due so soon is waited for: the clock of who sent the look may be ahead of this one. */
const NEAR_MS = 2_000;

/** What is due and was not claimed is locked by somebody, who has so long to let it go. */
const LOCKED_MS = 250;

/** Does what is due: once now, for what was slept through, then each time the schedule says so. */
export function startSchedule(context: Context): JobWorker {
  const { schedule, now, log } = context;
  schedule.at(now(), now()).catch((err) => log.warn({ err }, 'not scheduled; a regular look follows'));
  return context.backend.scheduleWorker('schedule', () => doWhatIsDue(context));
}

async function doWhatIsDue({ orm, pool, now, schedule, webhooks, log }: Context): Promise<void> {
  for (;;) {
    try {
      while ((await resolveWindows(orm, now())) > 0);
    } catch (err) {
      log.error({ err }, 'windows not resolved; what is due is due all the same');
    }
    while ((await advanceBoosts(pool, now(), CLAIM_MAX)) > 0) await webhooks.soon(now());
    const due = await nextDue(pool);
    if (due === null) return;
    if (due > now() + NEAR_MS) return schedule.at(due, now());
    await sleep(due > now() ? due - now() : LOCKED_MS);
  }
}
