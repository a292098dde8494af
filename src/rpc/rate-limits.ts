import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Context } from '../context.ts';
import { GuerdonError, type Rate } from '../errors.ts';
import type { Caller, RateLimit } from './call.ts';

/** So long a call waits for the store; it is let through then. */
const WAIT_MS = 2_000;
/** So long the store is not asked again after it failed. */
const AWAY_MS = 5_000;

type Limiter = RateLimiterPostgres | RateLimiterRedis;
type Sources = Pick<Context, 'backend' | 'deployment' | 'pool' | 'now' | 'log'>;

/**
 * Counts the requests of API keys that have a limit, for all processes together: in Redis where the deployment has it, in
 * PostgreSQL otherwise. When the store does not answer, calls are let through: being there counts for more than the limit.
 */
export class RateLimits {
  readonly #sources: Sources;
  /** By limit: there are a few of them, however many keys have them. */
  readonly #limiters = new Map<string, Limiter>();
  #redis: unknown;
  /** Epoch milliseconds; 0: the store has answered. */
  #askAgainAt = 0;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /**
   * Counts a request of this key; what the key may still do then, or null where it has no limit or the store does not
   * answer. Throws RESOURCE_EXHAUSTED beyond the limit. Keys without a limit cost nothing.
   */
  async take({ keyId, prefix, limit }: Caller): Promise<Rate | null> {
    const { now, log } = this.#sources;
    if (limit === null || now() < this.#askAgainAt) return null;
    const wasAway = this.#askAgainAt > 0;
    // One call looks whether the store is back; the others do not wait for it.
    if (wasAway) this.#askAgainAt = now() + AWAY_MS;
    const result = await inTime(this.#limiterOf(limit).consume(keyId)).catch((thrown: unknown) => thrown);
    if (!(result instanceof RateLimiterRes)) {
      if (this.#askAgainAt === 0) log.warn({ err: result }, 'rate limits not counted; calls are let through');
      this.#askAgainAt = now() + AWAY_MS;
      return null;
    }
    this.#askAgainAt = 0;
    return this.#judge(limit, prefix, result);
  }

  #judge(limit: RateLimit, prefix: string, { consumedPoints, remainingPoints, msBeforeNext }: RateLimiterRes): Rate {
    const rate = {
      ...limit,
      remaining: remainingPoints,
      endsIn: msBeforeNext,
      endsAt: this.#sources.now() + msBeforeNext,
    };
    // Of a key that is known here to have made its requests, no number is told.
    if (consumedPoints > 0 && consumedPoints <= limit.requests) return rate;
    const message = `the API key may make ${limit.requests} requests in ${limit.seconds} s: come again in ${msBeforeNext} ms`;
    throw new GuerdonError('RESOURCE_EXHAUSTED', 'RATE_LIMITED', message, { metadata: { prefix }, rate });
  }

  #limiterOf(limit: RateLimit): Limiter {
    const { requests, seconds } = limit;
    const name = `${requests}/${seconds}`;
    let limiter = this.#limiters.get(name);
    if (limiter === undefined) {
      limiter = this.#open({ points: requests, duration: seconds, inMemoryBlockOnConsumed: requests }, name);
      this.#limiters.set(name, limiter);
    }
    return limiter;
  }

  /** The name of the limit is part of what is counted: a key whose limit is changed begins a window of its own. */
  #open(options: { points: number; duration: number; inMemoryBlockOnConsumed: number }, name: string): Limiter {
    const { backend, deployment, pool } = this.#sources;
    if (backend.redis === undefined) {
      const table = { storeClient: pool, storeType: 'pool', tableName: 'rate_limits', tableCreated: true };
      return new RateLimiterPostgres({ ...options, ...table, keyPrefix: name });
    }
    this.#redis ??= backend.redis();
    return new RateLimiterRedis({
      ...options,
      storeClient: this.#redis,
      keyPrefix: `guerdon-${deployment}-rate:${name}`,
    });
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const limit = sleep(WAIT_MS, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${WAIT_MS} ms`);
  });
  return Promise.race([work, limit]).finally(() => late.abort());
}

/** What an answer over HTTP says of a key's rate; `refused`: it has status 429. */
export function rateHeaders(rate: Rate, { refused = false } = {}): Record<string, string> {
  return {
    'x-ratelimit-limit': String(rate.requests),
    'x-ratelimit-remaining': String(rate.remaining),
    'x-ratelimit-reset': String(Math.ceil(rate.endsAt / 1_000)),
    ...(refused && { 'retry-after': String(Math.max(1, Math.ceil(rate.endsIn / 1_000))) }),
  };
}
