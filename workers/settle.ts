import type { SettleCommand } from '../src/commands/command.ts';
import { type DueUser, dueUsers, nextOfWalk, stepWalk, streakLosers, walksToDo } from '../src/commands/due.ts';
import type { Context } from '../src/context.ts';
import type { Lanes } from './lanes.ts';

/** First key of the advisory lock that lets one worker settle at a time. */
const SETTLE_LOCK = 1_735_750_773;
const INTERVAL_MS = 1_000;

/**
 * What has been due for so long is settled although nothing has touched it. Nobody waits for it: whatever touches an account
 * settles it first, and reads count what is due.
 */
export const UNTOUCHED_MS = 24 * 3_600_000;

/** What was received before a streak was over may be applied after it; so long it is waited for. */
const UNDER_WAY_MS = 60_000;

/** Users that are settled at once: they share the lanes with everything else. */
const USERS_AT_ONCE = 500;

/** So often at most before the next look, so that events are not held up for long. */
const ROUNDS = 4;

export interface Settler {
  close(): Promise<void>;
}

/**
 * Settles what nobody has touched: users for whom something has long been due, those whose streak is over, and all users of a project once it has
 * another program by the clock, so that each is known to the index of what is due.
 */
export function startSettler(context: Context, lanes: Lanes): Settler {
  const { pool, now, log } = context;
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= settleAlone()
      .catch((err) => log.warn({ err }, 'what is due by the clock not settled; it stays due'))
      .finally(() => {
        running = undefined;
      });
  }, INTERVAL_MS);

  async function settleAlone(): Promise<void> {
    const client = await pool.connect();
    let locked = false;
    try {
      const { rows } = await client.query('select pg_try_advisory_lock($1, 0) as locked', [SETTLE_LOCK]);
      locked = rows[0].locked;
      if (!locked) return;
      for (let round = 0; round < ROUNDS; round += 1) {
        const due = await dueUsers(client, now() - UNTOUCHED_MS, USERS_AT_ONCE);
        await settle(due);
        if (due.length < USERS_AT_ONCE) break;
      }
      for (let round = 0; round < ROUNDS; round += 1) {
        const losers = await streakLosers(client, now() - UNDER_WAY_MS, USERS_AT_ONCE);
        await settle(losers);
        if (losers.length < USERS_AT_ONCE) break;
      }
      for (const walk of await walksToDo(client)) {
        for (let round = 0; round < ROUNDS; round += 1) {
          const { users, last } = await nextOfWalk(client, walk, USERS_AT_ONCE);
          await settle(users);
          await stepWalk(client, walk, last);
          if (last === undefined) break;
          walk.afterUser = last;
        }
      }
    } finally {
      if (locked) await client.query('select pg_advisory_unlock($1, 0)', [SETTLE_LOCK]).catch(() => {});
      client.release();
    }
  }

  async function settle(users: readonly DueUser[]): Promise<void> {
    const receivedAt = now();
    await lanes.run(users.map((user): SettleCommand => ({ kind: 'settle', id: context.uuid(), ...user, receivedAt })));
  }

  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
