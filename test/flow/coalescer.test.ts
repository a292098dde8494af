import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import type { EventCommand } from '../../src/commands/command.ts';
import { type Backend, openBackend } from '../../src/queue/backend.ts';
import { Coalescer } from '../../src/queue/coalesce.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/wait.ts';

// Which commands leave in one job, and when; over a real queue, with a clock that the test sets.

describe('the coalescer', () => {
  let database: TestDatabase;
  let backend: Backend;
  beforeAll(async () => {
    database = await createDatabase();
    const onError = (error: Error): void => {
      throw error;
    };
    backend = openBackend({ redisUrl: undefined, databaseUrl: database.url, deployment: 'coalescer', onError });
  });
  afterAll(async () => {
    await backend.close();
    await database.drop();
  });

  function start() {
    const jobs: number[] = [];
    const delays: { ms: number; over(): void }[] = [];
    const clock = { at: 1_000 };
    const queue = backend.queue();
    const coalescer = new Coalescer({
      queue,
      wanted: () => true,
      sent: ({ commands }) => jobs.push(commands.length),
      onError: (error) => {
        throw error;
      },
      now: () => clock.at,
      delay: (ms) => new Promise((over) => delays.push({ ms, over })),
    });
    /** Hands over so many lists of one command; gives what answers them all. */
    const add = (lists: number): (() => void) => {
      let answer: () => void = () => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      for (let list = 0; list < lists; list += 1) {
        coalescer.add([{ kind: 'event', id: v7(), key: null } as EventCommand], answered);
      }
      return answer;
    };
    const sent = (count: number) => until(async () => jobs.length === count, { what: `${count} jobs` });
    const waits = (count: number) => until(async () => delays.length === count, { what: `${count} delays` });
    return { jobs, delays, clock, coalescer, queue, add, sent, waits };
  }

  it.each([
    { lists: 2, took: 30, rests: false, ms: 0 },
    { lists: 3, took: 30, rests: true, ms: 15 },
    { lists: 3, took: 100, rests: true, ms: 20 },
  ])('after a job of $lists lists that took $took ms rests $ms ms', async ({ lists, took, rests, ms }) => {
    const { jobs, delays, clock, coalescer, queue, add, sent, waits } = start();
    const first = add(1);
    await sent(1);
    const shared = add(lists);
    await waits(1);
    first();
    await sent(2);
    const last = add(1);
    await waits(2);
    clock.at += took;
    shared();
    if (rests) {
      await waits(3);
      expect(delays[2]?.ms).toBe(ms);
      // What comes meanwhile leaves with the others.
      add(1);
      expect(jobs).toEqual([1, lists]);
      delays[2]?.over();
    }
    await sent(3);
    expect(jobs).toEqual([1, lists, rests ? 2 : 1]);
    expect(delays.slice(0, 2).map((delay) => delay.ms)).toEqual([20, 20]);
    last();
    await coalescer.idle();
    await queue.close();
  });

  it('never divides a list, nor waits when a job is full', async () => {
    const { jobs, coalescer, queue, clock, add, sent, waits } = start();
    const commands = (count: number) =>
      Array.from({ length: count }, () => ({ kind: 'event', id: v7(), key: null }) as EventCommand);
    const first = add(1);
    await sent(1);
    const shared = add(3);
    await waits(1);
    first();
    await sent(2);
    for (const size of [300, 300]) coalescer.add(commands(size), Promise.resolve());
    await waits(2);
    clock.at += 30;
    shared();
    await coalescer.idle();
    expect(jobs).toEqual([1, 3, 300, 300]);
    await queue.close();
  });
});
