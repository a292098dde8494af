import { expect, it } from '@jest/globals';
import { type Command, laneOf } from '../../src/commands/command.ts';
import { LaneHeldError, LanesBusyError, type Which } from '../../src/db/serializable.ts';
import { Lanes } from '../../workers/lanes.ts';

it('a list is taken whole or not at all, whenever a lane that was held is tried again', async () => {
  let instants: number[] = [];
  let held = true;
  const applied: string[] = [];
  const lanes = new Lanes({
    count: 1,
    now: () => (instants.length > 1 ? (instants.shift() as number) : (instants[0] as number)),
    apply: async (which, commands) => {
      if (held) throw typeof which === 'number' ? new LaneHeldError(which) : new LanesBusyError(which);
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
    apply: async (_which, commands) => {
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
    // Calls are still coming, so that slices are small.
    ['i100', 40],
    ['b1450', 200],
    ['b1650', 200],
    ['b1850', 150],
    ['i140', 40],
    ['i180', 40],
    ['i220', 30],
  ]);
  expect(batches.flat().filter((id) => id.startsWith('i'))).toEqual(named('i', 250).map(({ id }) => id));
});

function ofLane(lane: number, count: number): Command[] {
  const commands: Command[] = [];
  for (let user = 0; commands.length < count; user += 1) {
    const command = { id: `${lane}/${commands.length}`, kind: 'event', projectId: '1', user: `u${user}` } as Command;
    if (laneOf(command, 8) === lane) commands.push(command);
  }
  return commands;
}

it('lanes share a batch; one that is held elsewhere just then has its next for itself, and no order changes', async () => {
  let tried = false;
  const batches: { lanes: Which; ids: string[] }[] = [];
  const lanes = new Lanes({
    count: 8,
    now: () => 0,
    apply: async (which, commands) => {
      batches.push({ lanes: typeof which === 'number' ? which : [...which].sort(), ids: commands.map(({ id }) => id) });
      if (typeof which !== 'number' && which.includes(5) && !tried) {
        tried = true;
        throw new LanesBusyError([5]);
      }
      return commands.map(() => ({ status: 'failed' }));
    },
    done: async () => {},
  });
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  await Promise.all([lanes.run(all.flatMap((lane) => ofLane(lane, 2))), lanes.run(ofLane(5, 4).slice(2))]);
  const rest = all.filter((lane) => lane !== 5);
  expect(batches.map((batch) => batch.lanes)).toEqual([all, 5, rest]);
  expect(batches[1]?.ids).toEqual(ofLane(5, 4).map(({ id }) => id));
  expect(batches[2]?.ids).toEqual(rest.flatMap((lane) => ofLane(lane, 2).map(({ id }) => id)));
  batches.length = 0;
  await lanes.run(all.slice(4).flatMap((lane) => ofLane(lane, 1)));
  expect(batches[0]?.lanes).toEqual([4, 5, 6, 7]);
});

it('a batch beside one that runs begins only where enough waits for it; what waits for a lock is in nobody’s way', async () => {
  const begun: string[][] = [];
  const gates: (() => void)[] = [];
  const lanes = new Lanes({
    count: 8,
    now: () => 0,
    apply: async (_which, commands) => {
      begun.push(commands.map(({ id }) => id));
      await new Promise<void>((resolve) => gates.push(resolve));
      return commands.map(() => ({ status: 'failed' }));
    },
    done: async () => {},
  });
  const work = [lanes.run(ofLane(0, 1)), lanes.run(ofLane(1, 49))];
  expect(begun).toHaveLength(1);
  work.push(lanes.run(ofLane(2, 1)));
  expect(begun.map(({ length }) => length)).toEqual([1, 50]);
  work.push(lanes.run(ofLane(3, 60)), lanes.run(ofLane(4, 60)));
  expect(begun.map(({ length }) => length)).toEqual([1, 50, 60]);
  for (let open = gates.shift(); open !== undefined; open = gates.shift()) {
    open();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(work);
  expect(begun.map(({ length }) => length)).toEqual([1, 50, 60, 60]);
});

it('a lane whose batch failed while it waited for the lock is open again, however long ago that was', async () => {
  let now = 0;
  const failures = [new LanesBusyError([0]), new Error('connection terminated')];
  const lanes = new Lanes({
    count: 1,
    now: () => now,
    apply: async (_which, commands) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return commands.map(() => ({ status: 'failed' }));
    },
    done: async () => {},
  });
  const one = [{ id: 'one', kind: 'event', projectId: '1', user: 'u' } as Command];
  await expect(lanes.run(one)).rejects.toThrow('connection terminated');
  now = 60_000;
  expect(await lanes.run(one)).toEqual([{ status: 'failed' }]);
});
