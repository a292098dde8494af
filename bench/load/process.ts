import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadResult, LoadSpec } from './spec.ts';

/** Makes one measurement after the other, in a process of its own. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor() {
    // It collects its garbage often and little at a time: its pauses would be part of every latency.
    const execArgv = ['--max-semi-space-size=1'];
    this.#child = fork(join(import.meta.dirname, 'main.ts'), { serialization: 'advanced', execArgv });
  }

  measure(spec: LoadSpec): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const gone = (code: number | null): void => reject(new Error(`the load has ended with ${code}`));
      this.#child.once('exit', gone);
      this.#child.once('message', (message) => {
        this.#child.off('exit', gone);
        const { result, error } = message as { result?: LoadResult; error?: string };
        if (result === undefined) reject(new Error(error));
        else resolve(result);
      });
      this.#child.send(spec);
    });
  }

  /** Ends the measurement that is under way now. */
  stop(): void {
    this.#child.send('stop');
  }

  close(): void {
    this.#child.disconnect();
  }
}
