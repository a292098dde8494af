import type { Command } from '../commands/command.ts';
import { COMMANDS_MAX } from './jobs.ts';

interface Entry {
  commands: readonly Command[];
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Stores commands before they are queued: those that arrive while a statement is under way go into the next one together.
 * A list handed over together is stored by one statement.
 */
export class Accepting {
  readonly #store: (commands: readonly Command[]) => Promise<unknown>;
  #entries: Entry[] = [];
  #running: Promise<void> | undefined;
  #size = 0;

  constructor(store: (commands: readonly Command[]) => Promise<unknown>) {
    this.#store = store;
  }

  /** How many commands are not stored yet. */
  get size(): number {
    return this.#size;
  }

  /** Settles once rows hold the commands. */
  accept(commands: readonly Command[]): Promise<void> {
    this.#size += commands.length;
    return new Promise((resolve, reject) => {
      this.#entries.push({ commands, resolve, reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#entries.length > 0) {
      const entries = this.#take();
      const commands = entries.flatMap((entry) => entry.commands);
      try {
        await this.#store(commands);
        for (const entry of entries) entry.resolve();
      } catch (error) {
        for (const entry of entries) entry.reject(error);
      } finally {
        this.#size -= commands.length;
      }
    }
  }

  #take(): Entry[] {
    let commands = 0;
    const tooMany = this.#entries.findIndex((entry) => {
      commands += entry.commands.length;
      return commands > COMMANDS_MAX;
    });
    return this.#entries.splice(0, tooMany === -1 ? this.#entries.length : Math.max(1, tooMany));
  }
}
