import { expect } from '@jest/globals';
import type { Attempts } from '../../src/db/serializable.ts';
import { createDatabase } from './database.ts';
import { clientsOf, environment, spawnGuerdon } from './guerdon.ts';
import { balancesOf, expectSound } from './ledger.ts';

const LIST = 100;
const IN_FLIGHT = 8;

/** Sends so many lists of 100 events of scattered users through worker processes; gives what their transactions met. */
export async function race(workerCount: number, users: number, lists: number): Promise<Attempts & { ratio: number }> {
  const database = await createDatabase();
  const info = { GUERDON_LOG_LEVEL: 'info' };
  const api = await spawnGuerdon(environment(database, 'postgres', { ...info, GUERDON_ROLE: 'api' }));
  const workers = await Promise.all(
    Array.from({ length: workerCount }, () =>
      spawnGuerdon(environment(database, 'postgres', { ...info, GUERDON_ROLE: 'worker' })),
    ),
  );
  const { events } = clientsOf(api.grpcPort);
  const sent: Record<string, number> = {};
  let next = 0;
  const sendLists = async (): Promise<void> => {
    while (next < lists) {
      const list = next;
      next += 1;
      const items = Array.from({ length: LIST }, (_, item) => {
        const user = `u${((list * LIST + item) * 7919) % users}`;
        sent[user] = (sent[user] ?? 0) + 10;
        return { metricKey: 'lessons', user: { id: user }, value: '1', idempotencyKey: `${list}-${item}` };
      });
      const { results } = await events.sendEvents({ events: items }, { timeoutMs: 100_000 });
      expect(results.every(({ result }) => result.case === 'event')).toBe(true);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sendLists));
  expect(await balancesOf(database, 'xp')).toEqual(sent);
  await Promise.all(workers.map((worker) => worker.end()));
  await api.end();
  await expectSound(database);
  await database.drop();
  return total(workers.map((worker) => attemptsIn(worker.output())));
}

function attemptsIn(output: string): Attempts {
  const line = output.split('\n').find((text) => text.includes('"attempts"')) ?? '{}';
  return JSON.parse(line).attempts;
}

function total(all: Attempts[]): Attempts & { ratio: number } {
  const sum = (field: keyof Attempts) => all.reduce((count, attempts) => count + attempts[field], 0);
  const [begun, committed, conflicts] = [sum('begun'), sum('committed'), sum('conflicts')];
  return { begun, committed, conflicts, ratio: conflicts / begun };
}
