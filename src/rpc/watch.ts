import type { Context } from '../context.ts';
import { type Standing, standingsOf } from '../ledger/summary.ts';
import type { ProgramIndex } from '../rules/program.ts';

/** So often it is looked whether a watched account has changed. */
const LOOK_MS = 200;

/** An account as its watcher has told it last, by the program that it used. */
export interface Seen {
  projectId: string;
  userId: string;
  systemId: string;
  version: bigint;
  programVersion: number;
}

interface Watcher {
  seen: Seen;
  settle(program: ProgramIndex): void;
}

type Parts = Pick<Context, 'pool' | 'programs' | 'log' | 'now'>;

/** Settles what is due by the clock for a user; settles itself once that is done, or has failed. */
export type SettleDue = (user: NonNullable<Standing['due']>) => Promise<unknown>;

/**
 * Tells calls of this process when accounts have changed, by looking at all that are watched with one statement: so it
 * makes no difference which process changed them, and one who does not watch costs nothing. A watcher holds no more than the
 * version it has seen; what it has to tell it reads by itself, as fast as its caller takes it. What is due by the clock in
 * a watched account is settled, so that it is a change.
 */
export class Watch {
  readonly #context: Parts;
  readonly #settleDue: SettleDue;
  /** Users who are being settled. */
  readonly #settling = new Set<string>();
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(context: Parts, settleDue: SettleDue) {
    this.#context = context;
    this.#settleDue = settleDue;
  }

  /** Gives the program in force once the account or the program is another than was seen; rejects when the signal says so. */
  changed(seen: Seen, signal: AbortSignal): Promise<ProgramIndex> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = () => {
        signal.removeEventListener('abort', stop);
        this.#remove(watcher);
      };
      const stop = () => {
        leave();
        reject(signal.reason);
      };
      const watcher: Watcher = {
        seen,
        settle: (program) => {
          leave();
          resolve(program);
        },
      };
      signal.addEventListener('abort', stop);
      this.#watchers.add(watcher);
      this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
    });
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #settle(due: NonNullable<Standing['due']>): void {
    const key = `${due.projectId} ${due.user}`;
    if (this.#settling.has(key)) return;
    this.#settling.add(key);
    this.#settleDue(due)
      .catch((err) => this.#context.log.warn({ err }, 'what is due for a watched user not settled; it stays due'))
      .finally(() => this.#settling.delete(key));
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { pool, programs, log, now } = this.#context;
    try {
      const watched = [...this.#watchers].map(({ seen }) => seen);
      const current = await programs.current(pool, [...new Set(watched.map(({ projectId }) => projectId))]);
      const standings = await standingsOf(pool, watched, now());
      for (const { due } of standings.values()) if (due !== null) this.#settle(due);
      for (const watcher of [...this.#watchers]) {
        const { projectId, userId, systemId, version, programVersion } = watcher.seen;
        const index = current.get(projectId);
        const moved = (standings.get(`${userId} ${systemId}`)?.version ?? 0n) > version;
        if (index !== undefined && (moved || index.program.version !== programVersion)) watcher.settle(index);
      }
    } catch (err) {
      log.warn({ err }, 'watched accounts not looked at');
    } finally {
      this.#looking = false;
    }
  }
}
