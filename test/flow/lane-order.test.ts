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
