import { expect, it } from '@jest/globals';
import type { Command } from '../../src/commands/command.ts';
import { LaneHeldError } from '../../src/db/serializable.ts';
import { Lanes } from '../../workers/lanes.ts';

it('a list is taken whole or not at all, whenever a lane that was held is tried again', async () => {
  let instants: number[] = [];
  let held = true;
  const applied: string[] = [];
  const lanes = new Lanes({
    count: 1,
    now: () => (instants.length > 1 ? (instants.shift() as number) : (instants[0] as number)),
    apply: async (lane, commands) => {
      if (held) throw new LaneHeldError(lane);
      applied.push(...commands.map(({ id }) => id));
      return commands.map(() => ({ status: 'failed' }));
    },
    done: async () => {},
  });
  const list = ['first', 'second'].map((id) => ({ id, kind: 'event', projectId: '1', user: 'u' }) as Command);
  instants = [1_000];
  await expect(lanes.run(list)).rejects.toThrow(LaneHeldError);
  held = false;
  // The lane is left alone until 2,000: the clock passes it while the list is looked at.
  instants = [1_999, 2_000];
  await lanes.run(list).catch(() => {});
  instants = [2_500];
  await lanes.run(list);
  expect(applied.slice(0, 2)).toEqual(['first', 'second']);
});

it('an event that somebody waits for overtakes an import, which still gets on; each keeps its own order', async () => {
  const batches: string[][] = [];
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const lanes = new Lanes({
    count: 1,
    now: () => 0,
    apply: async (_lane, commands) => {
      batches.push(commands.map(({ id }) => id));
      if (batches.length === 1) await gate;
      return commands.map(() => ({ status: 'failed' }));
    },
    done: async () => {},
  });
  const named = (name: string, count: number) =>
    Array.from(
      { length: count },
      (_, index) => ({ id: `${name}${index}`, kind: 'event', projectId: '1', user: 'u' }) as Command,
    );
  const imported = lanes.run(named('i', 250), 'import');
  const called = [lanes.run(named('a', 150)), lanes.run(named('b', 2_000))];
  go();
  await Promise.all([imported, ...called]);
  expect(batches.map((batch) => [batch[0], batch.length])).toEqual([
    ['i0', 100],
    ['a0', 200],
    ['b50', 200],
    ['b250', 200],
    ['b450', 200],
    ['b650', 200],
    ['b850', 200],
    ['b1050', 200],
    ['b1250', 200],
    ['i100', 100],
    ['b1450', 200],
    ['b1650', 200],
    ['b1850', 150],
    ['i200', 50],
  ]);
  expect(batches.flat().filter((id) => id.startsWith('i'))).toEqual(named('i', 250).map(({ id }) => id));
});
