import { type Claimed, claim, dueWebhooks, nextDelivery, release } from '../src/commands/webhooks/claim.ts';
import { composeBody } from '../src/commands/webhooks/compose.ts';
import { fanOut } from '../src/commands/webhooks/fan-out.ts';
import { pruneDeliveries } from '../src/commands/webhooks/prune.ts';
import { type Attempt, settle } from '../src/commands/webhooks/settle.ts';
import type { Context } from '../src/context.ts';
import { isMachineryFailure } from '../src/db/failures.ts';
import { createPool, type Pool } from '../src/db/pool.ts';
import type { JobWorker } from '../src/queue/backend.ts';
import { messageId } from '../src/webhooks/message-id.ts';
import { Sender } from '../src/webhooks/send.ts';
import { signatureHeaders } from '../src/webhooks/signature.ts';

/** Calls of one webhook that this process makes at once; where the last one failed, so many to see how it does. */
const CALLS_MAX = 8;
const CALLS_MAX_FAILING = 2;

/** Connections for the short statements before and after a call. */
const POOL_MAX = 4;

/** What is due so soon this process waits for itself: a job may come a little early. */
const NEAR_MS = 2_000;

const PRUNE_EVERY_MS = 60_000;

/** The calls of one webhook that are under way here. */
interface Line {
  calls: number;
  failing: boolean;
  claiming: boolean;
  /** Something may have become due since the claim that is under way. */
  again: boolean;
}

/**
 * Tells webhooks what is announced. The database holds what there is to tell and when; a job only wakes. Each webhook has
 * calls of its own, so that one that hangs is in nobody's way, and no transaction is open during a call.
 */
export class Deliveries {
  readonly #context: Context;
  readonly #pool: Pool;
  readonly #sender: Sender;
  readonly #worker: JobWorker;
  readonly #stop = new AbortController();
  readonly #lines = new Map<string, Line>();
  readonly #underWay = new Set<Promise<void>>();
  #looking: Promise<void> | undefined;
  #again = false;
  /** A look that this process waits for itself. */
  #near: { at: number; timer: NodeJS.Timeout } | undefined;
  #prunedAt = 0;

  constructor(context: Context) {
    this.#context = context;
    const { log, webhooks, backend, config } = context;
    this.#pool = createPool({
      url: context.databaseUrl,
      max: POOL_MAX,
      name: 'guerdon-webhooks',
      onError: (err) => log.warn({ err }, 'webhook connection lost'),
    });
    this.#sender = new Sender({ allowPrivate: config.webhookAllowPrivate });
    webhooks.soon(context.now()).catch((err) => log.warn({ err }, 'not woken; a regular look follows'));
    this.#worker = backend.scheduleWorker('webhooks', () => this.look());
  }

  /** Begins all calls that are due; asked while a look is under way, it looks once more. Never rejects. */
  look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#look()
      .catch((err) => this.#context.log.warn({ err }, 'webhooks not looked at; a regular look follows'))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** Ends calls under way; what they were to tell is told by others, or after the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#near?.timer);
    await this.#worker.close();
    await this.#looking;
    await Promise.all(this.#underWay);
    this.#sender.close();
    await this.#pool.end();
  }

  async #look(): Promise<void> {
    const { orm, now, webhooks } = this.#context;
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      while ((await fanOut(orm, now())) > 0);
      for (const { id, failing } of await dueWebhooks(this.#pool, now())) await this.#begin(id, failing);
    }
    if (this.#stop.signal.aborted) return;
    if (now() - this.#prunedAt >= PRUNE_EVERY_MS) {
      this.#prunedAt = now();
      await pruneDeliveries(this.#pool, now());
    }
    const due = await nextDelivery(this.#pool);
    // What is due and was not begun waits for calls under way, and these look for it when they end.
    if (due !== null && due > now()) await this.#lookAt(due, webhooks);
  }

  async #lookAt(due: number, webhooks: Context['webhooks']): Promise<void> {
    const wait = due - this.#context.now();
    if (wait > NEAR_MS) return webhooks.at(due, this.#context.now());
    if (this.#stop.signal.aborted || (this.#near?.at ?? Number.POSITIVE_INFINITY) <= due) return;
    clearTimeout(this.#near?.timer);
    const timer = setTimeout(
      () => {
        this.#near = undefined;
        void this.look();
      },
      Math.max(0, wait),
    );
    this.#near = { at: due, timer };
  }

  /** Begins as many calls of a webhook as it may have at once. */
  async #begin(webhookId: string, failing: boolean): Promise<void> {
    const line = this.#lines.get(webhookId) ?? { calls: 0, failing, claiming: false, again: false };
    this.#lines.set(webhookId, line);
    line.failing = failing;
    line.again = true;
    if (line.claiming) return;
    line.claiming = true;
    try {
      while (line.again && !this.#stop.signal.aborted) {
        line.again = false;
        const limit = (line.failing ? CALLS_MAX_FAILING : CALLS_MAX) - line.calls;
        if (limit <= 0) return;
        const { now, uuid } = this.#context;
        const claims = await claim(this.#pool, webhookId, { limit, lease: uuid(), now: now() });
        for (const claimed of claims) this.#run(line, claimed);
      }
    } finally {
      line.claiming = false;
    }
  }

  /** Makes the call, and begins another in its place. */
  #run(line: Line, claimed: Claimed): void {
    line.calls += 1;
    const run = this.#deliver(claimed)
      .then((failing) => {
        line.calls -= 1;
        return this.#begin(claimed.webhookId, failing);
      })
      .catch((err) => this.#context.log.warn({ err }, 'no further delivery begun; a regular look follows'))
      .finally(() => this.#underWay.delete(run));
    this.#underWay.add(run);
  }

  /** Gives whether the receiver failed. */
  async #deliver(claimed: Claimed): Promise<boolean> {
    const { now, random, log, webhooks } = this.#context;
    try {
      const attempt = await this.#call(claimed);
      const nextAt = await settle(this.#pool, claimed, attempt, { now: now(), random: random() });
      if (nextAt !== null) await this.#lookAt(nextAt, webhooks);
      return attempt.error !== null && attempt.error !== 'BUG';
    } catch (err) {
      if (this.#stop.signal.aborted) await release(this.#pool, claimed, now()).catch(() => {});
      else log.warn({ err, webhook: claimed.webhookId }, 'delivery not settled; it is made again');
      return false;
    }
  }

  async #call(claimed: Claimed): Promise<Attempt> {
    const { pool, programs, now, log } = this.#context;
    const at = now();
    let body: string;
    try {
      body = await composeBody({ pool, programs }, claimed);
    } catch (err) {
      if (isMachineryFailure(err)) throw err;
      log.error({ err, webhook: claimed.webhookId, event: claimed.eventId }, 'webhook event not composed');
      return { at, durationMs: 0, error: 'BUG', statusCode: null, answer: '' };
    }
    const headers = signatureHeaders({ id: messageId(claimed), at, body }, claimed.secrets);
    const sent = await this.#sender.post(claimed.url, headers, body, this.#stop.signal);
    return { at, durationMs: Math.max(0, now() - at), ...sent };
  }
}
