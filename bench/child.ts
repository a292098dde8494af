import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Usage } from './meter.ts';

const ROOT = join(import.meta.dirname, '..');

/** Of all processes that the benchmark starts. What they load is compiled once for all of them, so they start sooner. */
export const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_COMPILE_CACHE: join(tmpdir(), 'guerdon-bench-compiled'),
};

/** Those that `npm start` gives to Node, for every server alike. */
const FLAGS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts.start as string)
  .split(' ')
  .filter((word) => word.startsWith('--'));

/** A server of the benchmark in a process of its own. */
export interface Child {
  /** All that it has printed so far. */
  output(): string;
  /** What it has used since it was last asked. */
  usage(): Promise<Usage>;
  /** Ends it in order. */
  end(): Promise<void>;
}

export interface ChildOptions {
  /** Path from the top of the project. */
  script: string;
  env: Readonly<Record<string, string | undefined>>;
  /** It is ready once this is printed. */
  ready: RegExp;
  /** Arguments of Node. */
  node?: readonly string[];
}

/** Starts a process and waits until it is ready. */
export async function startChild({ script, env, ready, node = [] }: ChildOptions): Promise<Child> {
  const child = spawn(process.execPath, ['--import', './bench/meter.ts', ...FLAGS, ...node, script], {
    cwd: ROOT,
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk;
      if (ready.test(output)) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it was ready:\n${output}`)));
  });
  return { output: () => output, usage: () => usageOf(child, script), end: () => end(child) };
}

function usageOf(child: ChildProcess, script: string): Promise<Usage> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error(`${script} has ended by itself`));
    child.once('exit', gone);
    child.once('message', (usage) => {
      child.off('exit', gone);
      resolve(usage as Usage);
    });
    child.send('usage', (error) => error !== null && reject(error));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
