import type { Clients } from './guerdon.ts';

export interface Load {
  /** Answers so far. */
  answered: number;
  /** Settles when every event was answered. */
  done: Promise<void>;
}

/**
 * Sends `count` lessons with keys of their own, spread over `users`, so many at once, each again and again with the same
 * key until it is answered. `clients` is asked for anew at each attempt, since servers come and go.
 */
export function startLoad(
  clients: () => Clients,
  {
    count,
    users,
    inFlight = 32,
    prefix = 'user',
  }: { count: number; users: number; inFlight?: number; prefix?: string },
): Load {
  const load: Load = { answered: 0, done: Promise.resolve() };
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await untilAnswered(clients, `${prefix}${index % users}`, `k${index}`);
      load.answered += 1;
    }
  };
  load.done = Promise.all(Array.from({ length: inFlight }, run)).then(() => {});
  return load;
}

async function untilAnswered(clients: () => Clients, user: string, idempotencyKey: string): Promise<void> {
  for (;;) {
    try {
      await clients().events.sendEvent(
        { metricKey: 'lessons', user: { id: user }, value: '1', idempotencyKey },
        { timeoutMs: 5_000 },
      );
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** What `startLoad` must have given each user in xp: by user. */
export function loadBalances({ count, users, prefix = 'user' }: { count: number; users: number; prefix?: string }) {
  const balances: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const user = `${prefix}${index % users}`;
    balances[user] = (balances[user] ?? 0) + 10;
  }
  return balances;
}
