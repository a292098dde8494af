import { overdue, requeued } from '../src/commands/accept.ts';
import { isOverdue } from '../src/commands/webhooks/claim.ts';
import type { Context } from '../src/context.ts';
import { sendJob } from '../src/queue/coalesce.ts';
import { COMMANDS_MAX } from '../src/queue/jobs.ts';
import type { Deliveries } from './deliveries.ts';

/** First key of the advisory lock that lets one worker sweep at a time. */
const SWEEP_LOCK = 1_735_750_771;
const INTERVAL_MS = 1_000;
/** What has not been done for so long is queued again, or done. */
const OVERDUE_MS = 5_000;

export interface Sweep {
  close(): Promise<void>;
}

/**
 * Queues accepted commands again that are not applied, puts the schedules back and sees to webhooks that nobody saw to, in
 * case the queue has lost them. A timer in every worker, not a job, since it is the queue that may be lost; the lock leaves
 * the work to one worker at a time.
 */
export function startSweep(context: Context, deliveries: Pick<Deliveries, 'look'>): Sweep {
  const queue = context.backend.queue();
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= sweep()
      .catch((err) => context.log.warn({ err }, 'sweep failed'))
      .finally(() => {
        running = undefined;
      });
  }, INTERVAL_MS);

  async function sweep(): Promise<void> {
    const client = await context.pool.connect();
    let locked = false;
    try {
      const { rows } = await client.query('select pg_try_advisory_lock($1, 0) as locked', [SWEEP_LOCK]);
      locked = rows[0].locked;
      if (!locked) return;
      if (await isOverdue(client, context.now() - OVERDUE_MS)) await deliveries.look();
      await context.schedule.ensure();
      await context.webhooks.ensure();
      for (;;) {
        const commands = await overdue(client, { after: OVERDUE_MS, now: context.now(), limit: COMMANDS_MAX });
        if (commands.length === 0) return;
        await sendJob(queue, { commands });
        await requeued(client, commands, context.now());
        if (commands.length < COMMANDS_MAX) return;
      }
    } finally {
      if (locked) await client.query('select pg_advisory_unlock($1, 0)', [SWEEP_LOCK]).catch(() => {});
      client.release();
    }
  }

  return {
    async close() {
      clearInterval(timer);
      await running;
      await queue.close();
    },
  };
}
