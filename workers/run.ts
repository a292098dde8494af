import { leaveInbox } from '../src/commands/accept.ts';
import { applyBatch } from '../src/commands/apply.ts';
import type { Command } from '../src/commands/command.ts';
import type { Outcome } from '../src/commands/outcome.ts';
import type { Context } from '../src/context.ts';
import { createPool } from '../src/db/pool.ts';
import type { Attempts } from '../src/db/serializable.ts';
import type { Reply } from '../src/queue/replies.ts';
import { Deliveries } from './deliveries.ts';
import { startImporter } from './imports.ts';
import { Lanes } from './lanes.ts';
import { startSchedule } from './schedule.ts';
import { startSettler } from './settle.ts';
import { startSweep } from './sweep.ts';

/** Jobs that one process has in hand at once. */
const JOBS_IN_HAND = 64;

export interface Workers {
  attempts: Attempts;
  /** Finishes the jobs in hand, then stops. */
  close(): Promise<void>;
}

/**
 * Applies queued commands until closed. `settleHere` tells a call that waits in this process; outcomes of other
 * processes' calls are published.
 */
export function startWorkers(context: Context, settleHere: (id: string, outcome: Outcome) => boolean): Workers {
  const { log, lanes: count } = context;
  const pool = createPool({
    url: context.databaseUrl,
    max: count + 1,
    name: 'guerdon-lanes',
    lanes: true,
    onError: (err) => log.warn({ err }, 'lane connection lost'),
  });
  const attempts: Attempts = { begun: 0, committed: 0, conflicts: 0 };
  const onAnnounced = (): void => {
    const asked = context.webhooks.soon(context.now());
    asked.catch((err) => log.warn({ err }, 'not woken; the sweep sees to what is announced'));
  };
  const applying = {
    pool,
    attempts,
    programs: context.programs,
    now: context.now,
    random: context.random,
    log,
    onAnnounced,
  };
  const lanes = new Lanes({
    count,
    now: context.now,
    apply: (which, commands) => applyBatch(applying, which, commands),
    done: async (commands, outcomes) => {
      await leaveInbox(pool, commands, outcomes, context.now());
      await reply(context, commands, outcomes, settleHere);
    },
  });
  const worker = context.backend.worker(async (job) => {
    const { commands } = job.data;
    const settled = await lanes.settle(commands);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    const left = commands.filter((_, index) => settled[index]?.status === 'rejected');
    // Should that fail, what is applied already is answered once more, and changes nothing.
    if (left.length < commands.length) await job.updateData({ commands: left }).catch(() => {});
    throw failed.reason;
  }, JOBS_IN_HAND);
  const timed = startSchedule(context);
  const deliveries = new Deliveries(context);
  const sweep = startSweep(context, deliveries);
  const settler = startSettler(context, lanes);
  const importer = startImporter(context, lanes);
  return {
    attempts,
    async close() {
      // All stop their timers at once, however long the other ones take to finish.
      await Promise.all([importer.close(), settler.close(), sweep.close()]);
      await deliveries.close();
      await timed.close();
      await worker.close();
      await pool.end();
    },
  };
}

/** The outcomes are committed; that telling somebody fails costs time, not correctness. */
async function reply(
  context: Context,
  commands: readonly Command[],
  outcomes: readonly Outcome[],
  settleHere: (id: string, outcome: Outcome) => boolean,
): Promise<void> {
  const elsewhere = new Map<string, Reply[]>();
  commands.forEach((command, index) => {
    const outcome = outcomes[index] as Outcome;
    if (command.replyTo === undefined || settleHere(command.id, outcome)) return;
    if (command.replyTo === context.address) return;
    const replies = elsewhere.get(command.replyTo) ?? [];
    replies.push([command.id, outcome]);
    elsewhere.set(command.replyTo, replies);
  });
  for (const [address, replies] of elsewhere) {
    await context.replies.publish(address, replies).catch((err) => context.log.warn({ err }, 'reply not sent'));
  }
}
