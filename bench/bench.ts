import type { Databases } from './databases.ts';
import { KEY } from './databases.ts';
import type { LoadProcess } from './load/process.ts';
import type { CallName, LoadResult, LoadSpec, Shape, Users } from './load/spec.ts';
import type { Usage } from './meter.ts';
import type { Plan } from './plan.ts';
import { type Server, usageOf } from './servers.ts';
import type { Services } from './services.ts';

/** What every section is given. */
export interface Bench {
  plan: Plan;
  services: Services;
  databases: Databases;
  load: LoadProcess;
  /** A database with the usual entries, to be copied. */
  filled: string;
  /** Tells how far it is. */
  say(line: string): void;
}

/** What is measured of a server. */
export interface Case {
  call: CallName;
  shape: Shape;
  users: Users;
}

/** One case on one server: medians of all repetitions. */
export interface Figures extends Omit<LoadResult, 'failure'> {
  /** Bytes of all processes of the server; the highest of all repetitions. */
  rss: number;
  heap: number;
  /** Processor time of the server's own processes for one call, in milliseconds. */
  cpuPerCall: number;
  /** What each repetition reached, calls a second. */
  each: number[];
}

/** A server, and the port of it that is called. */
export interface Target {
  server: Server;
  port: number;
}

/**
 * What is offered, whatever the answers, is measured for so many times longer than the rest: the slowest hundredth of it
 * has to be calls enough that no one moment decides.
 */
export const OFFERED_TIMES = 6;

/** Seeds of loads, none of which is used twice in a run. */
let loads = Math.floor(Date.now() / 1000) % 1_000_000_000;

/**
 * Measures a case on several servers in turn, again and again, so that what else the machine does concerns all of them.
 * Where it is not the same on each, it is given by the place of the server.
 */
export async function compare(
  bench: Bench,
  one: Case | ((place: number) => Case),
  targets: readonly Target[],
): Promise<Figures[]> {
  const { plan } = bench;
  const all: Measured[][] = targets.map(() => []);
  for (let round = 0; round < plan.repeat; round += 1) {
    for (const [place, { server, port }] of targets.entries()) {
      const now = typeof one === 'function' ? one(place) : one;
      const unit = now.shape.kind === 'open' ? OFFERED_TIMES * 1000 : 1000;
      const times = { warmupMs: plan.warmupSeconds * unit, measureMs: plan.seconds * unit };
      const spec = loadSpec(now, port, times);
      all[place]?.push(await measure(bench, spec, server));
    }
  }
  return all.map(figuresOf);
}

/** One short load that nothing is told of: code is compiled, caches fill. Gives calls a second. */
export async function tryOut(bench: Bench, one: Case, port: number, seconds: number): Promise<number> {
  const result = await bench.load.measure(loadSpec(one, port, { warmupMs: 200, measureMs: seconds * 1000 }));
  if (result.failed > 0) throw new Error(`${result.failed} calls failed: ${result.failure}`);
  return result.perSecond;
}

/** A load that no other one of the run is like. */
export function loadSpec(one: Case, port: number, times: Pick<LoadSpec, 'warmupMs' | 'measureMs'>): LoadSpec {
  loads += 1;
  return { port, key: KEY, ...one, seed: loads, ...times };
}

type Measured = LoadResult & Usage;

async function measure(bench: Bench, spec: LoadSpec, server: Server): Promise<Measured> {
  await usageOf(server);
  const result = await bench.load.measure(spec);
  const usage = await usageOf(server);
  if (result.failed > 0) bench.say(`!!! ${server.name}: ${result.failed} calls failed: ${result.failure}`);
  // The time before the measured one is part of what was used.
  const share = spec.measureMs / (spec.measureMs + spec.warmupMs);
  return { ...result, ...usage, cpu: usage.cpu * share };
}

function figuresOf(runs: readonly Measured[]): Figures {
  const of = (part: (run: Measured) => number): number[] => runs.map(part);
  return {
    calls: of(({ calls }) => calls).reduce((sum, calls) => sum + calls, 0),
    perSecond: median(of((run) => run.perSecond)),
    failed: of(({ failed }) => failed).reduce((sum, failed) => sum + failed, 0),
    p50: median(of((run) => run.p50)),
    p99: median(of((run) => run.p99)),
    max: median(of((run) => run.max)),
    rss: Math.max(...of((run) => run.rss)),
    heap: Math.max(...of((run) => run.heap)),
    cpuPerCall: median(of((run) => (run.cpu * 1000) / run.calls)),
    each: of((run) => run.perSecond),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
