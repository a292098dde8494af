import { setTimeout as sleep } from 'node:timers/promises';
import { type Caller, openCaller } from './calls.ts';
import { chooser, type Random, randomOf } from './random.ts';
import type { LoadResult, LoadSpec } from './spec.ts';

/** Calls that are sure to fit into an open loop; more would be no measurement any more. */
const OPEN_MAX = 20_000;

/** Takes what became of each call; only what ends within the measured time counts. */
class Record {
  readonly from: number;
  to: number;
  readonly #latencies: number[] = [];
  failed = 0;
  failure: string | undefined;

  constructor({ warmupMs, measureMs }: LoadSpec, stop: AbortSignal) {
    this.from = performance.now() + warmupMs;
    this.to = this.from + measureMs;
    stop.addEventListener('abort', () => {
      this.to = Math.min(this.to, performance.now());
    });
  }

  /** `since`: when the call was to be made, on the clock of `performance`. */
  async add(call: Promise<void>, since: number): Promise<void> {
    try {
      await call;
      const now = performance.now();
      if (now >= this.from && now < this.to) this.#latencies.push(now - since);
    } catch (error) {
      this.failed += 1;
      this.failure ??= (error as Error).message;
    }
  }

  result(): LoadResult {
    const sorted = Float64Array.from(this.#latencies).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    return {
      calls: sorted.length,
      perSecond: (sorted.length * 1000) / (this.to - this.from),
      failed: this.failed,
      failure: this.failure,
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
    };
  }
}

/** Makes one measurement, for as long as it is to take or until it is stopped. */
export async function measure(spec: LoadSpec, stop: AbortSignal): Promise<LoadResult> {
  const random = randomOf(spec.seed);
  const inFlight = spec.shape.kind === 'closed' ? spec.shape.inFlight : 1;
  const caller = openCaller(spec, inFlight);
  const next = chooser(spec.users, random);
  try {
    const record = new Record(spec, stop);
    if (spec.shape.kind === 'closed') await closedLoop(record, caller, next, inFlight);
    else await openLoop(record, caller, next, spec.shape.perSecond, random);
    return record.result();
  } finally {
    caller.close();
  }
}

/** So many callers, each of which makes its next call once the one before is answered. */
async function closedLoop(record: Record, caller: Caller, next: () => number, inFlight: number): Promise<void> {
  const one = async (): Promise<void> => {
    for (let now = performance.now(); now < record.to; now = performance.now()) {
      await record.add(caller.call(next()), now);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}

/**
 * Calls at random instants that nothing puts off (a Poisson process): a server that is slow does not get fewer of them, and
 * the wait of a call begins when it was to be made.
 */
async function openLoop(
  record: Record,
  caller: Caller,
  next: () => number,
  perSecond: number,
  random: Random,
): Promise<void> {
  const gap = (): number => (-Math.log(1 - random()) * 1000) / perSecond;
  const open = new Set<Promise<void>>();
  for (let due = performance.now() + gap(); due < record.to; ) {
    for (let now = performance.now(); due <= now && due < record.to; due += gap()) {
      if (open.size >= OPEN_MAX) throw new Error(`${OPEN_MAX} calls wait: the server does not keep up at all`);
      const call = record.add(caller.call(next()), due);
      open.add(call);
      void call.then(() => open.delete(call));
    }
    await sleep(1);
  }
  await Promise.all(open);
}
