import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { DateTime } from 'luxon';
import { DAY, HOUR, startTimed, type TimedGuerdon } from '../support/clock.ts';

type Unit = 'day' | 'week' | 'month';
const FREQUENCY = { day: 'daily', week: 'weekly', month: 'monthly' } as const;

const METRICS = ['lessons', 'pages', 'naps'].map((key) => ({ key, name: key }));

function economy(frequency: string, triggers: object[] = [], metrics: string[] = ['lessons', 'pages']): object {
  return {
    metrics: METRICS,
    streak: { frequency, metrics },
    systems: [{ key: 'gold', name: 'Gold', triggers }],
  };
}

const every = (length: number, points: number) => ({ key: `every${length}`, type: 'streak', length, points });

/** The same numbers from the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Instants of one local period: its first and last minute now and then, and anything between. */
function instantsIn(start: DateTime, unit: Unit, random: () => number): number[] {
  const from = start.toMillis();
  const to = start.plus({ [unit]: 1 }).toMillis();
  return Array.from({ length: 1 + Math.floor(random() * 2) }, () => {
    const kind = random();
    if (kind < 0.2) return from + Math.floor(random() * 60_000);
    if (kind < 0.4) return to - 1 - Math.floor(random() * 60_000);
    return from + Math.floor(random() * (to - from));
  });
}

/** Lengths of the runs of neighbours among the periods in which one of these instants is. */
function runsOf(instants: readonly number[], zone: string, unit: Unit): { last: DateTime; length: number }[] {
  const starts = instants.map((at) => DateTime.fromMillis(at, { zone }).startOf(unit).toISODate() as string);
  const runs: { last: DateTime; length: number }[] = [];
  for (const date of [...new Set(starts)].sort()) {
    const start = DateTime.fromISO(date, { zone: 'utc' });
    const run = runs.at(-1);
    if (run !== undefined && +run.last.plus({ [unit]: 1 }) === +start) {
      run.last = start;
      run.length += 1;
    } else runs.push({ last: start, length: 1 });
  }
  return runs;
}

async function sendAt({ events }: TimedGuerdon, user: string, instants: readonly number[]): Promise<void> {
  for (let at = 0; at < instants.length; at += 500) {
    const block = instants.slice(at, at + 500).map((instant, index) => ({
      metricKey: index % 3 === 0 ? 'pages' : 'lessons',
      user: { id: user },
      value: '0.5',
      occurredAt: timestampFromMs(instant),
    }));
    const { results } = await events.sendEvents({ events: block });
    expect(results.map(({ result }) => result.case)).toEqual(block.map(() => 'event'));
  }
}

const ZONES = ['America/Los_Angeles', 'Asia/Kolkata', 'Pacific/Auckland'];

it.each([
  ['day', 365, 0.15, [3, 7]],
  ['week', 60, 0.3, [2, 3]],
  ['month', 30, 0.3, [2, 3]],
] as const)(
  'a streak by the %s is what an independent count gives, whatever the order',
  async (unit, count, gaps, lengths) => {
    const guerdon = await startTimed('2025-09-20T12:00Z');
    await guerdon.apply(economy(FREQUENCY[unit], [every(lengths[0], 10), every(lengths[1], 1_000)]));
    const random = randomFrom(20_240_310);
    for (const zone of ZONES) {
      await guerdon.users.createUser({ user: { id: zone, tz: zone } });
      const end = DateTime.fromMillis(guerdon.running.context.now(), { zone }).startOf(unit);
      const instants = Array.from({ length: count }, (_, index) => end.minus({ [unit]: count - index }))
        .filter(() => random() >= gaps)
        .flatMap((start) => instantsIn(start, unit, random));
      await sendAt(guerdon, zone, shuffled(instants, random));
      const runs = runsOf(instants, zone, unit);
      const paid = runs.reduce(
        (sum, { length }) => sum + Math.floor(length / lengths[0]) * 10 + Math.floor(length / lengths[1]) * 1_000,
        0,
      );
      expect([zone, await guerdon.balance(zone, 'gold')]).toEqual([zone, paid]);
      const { current, longest, periods } = await guerdon.achievements.getUserStreak({ userId: zone, periods: 30 });
      expect(Number(longest)).toBe(Math.max(...runs.map(({ length }) => length)));
      const utc = (date: DateTime) => DateTime.fromISO(date.toISODate() as string, { zone: 'utc' });
      const going = runs.find(({ last }) => +last.plus({ [unit]: 1 }) === +utc(end));
      expect(Number(current?.length)).toBe(going?.length ?? 0);
      const must = Array.from({ length: 30 }, (_, index) => {
        const start = utc(end).minus({ [unit]: 29 - index });
        const run = runs.find(({ last, length }) => start <= last && start > last.minus({ [unit]: length }));
        const back = run === undefined ? 0 : Math.round(run.last.diff(start, unit).as(unit));
        return {
          start: start.toISODate(),
          end: start
            .plus({ [unit]: 1 })
            .minus({ day: 1 })
            .toISODate(),
          length: run === undefined ? 0 : run.length - back,
        };
      });
      expect(periods.map(({ start, end, length }) => ({ start, end, length: Number(length) }))).toEqual(must);
    }
    await guerdon.finish();
  },
  60_000,
);

it('days with 23 and 25 hours are days: both edges of daylight saving, minute by minute', async () => {
  const guerdon = await startTimed('2024-12-01T00:00Z');
  await guerdon.apply(economy('daily', [every(1, 1)]));
  const edges = {
    'America/Los_Angeles': ['2024-03-10', '2024-11-03'],
    'Pacific/Auckland': ['2024-04-07', '2024-09-29'],
  };
  for (const [zone, days] of Object.entries(edges)) {
    await guerdon.users.createUser({ user: { id: zone, tz: zone } });
    const instants = days.flatMap((day) => {
      const noon = DateTime.fromISO(day, { zone });
      const [start, end] = [noon.startOf('day').toMillis(), noon.endOf('day').toMillis()];
      // The minutes around the midnights before and after, and around the change itself.
      return [start - 60_000, start, start + HOUR * 2, start + HOUR * 3, end - 59_000, end, end + 1, end + 60_000];
    });
    await sendAt(guerdon, zone, instants);
    const runs = runsOf(instants, zone, 'day');
    expect(runs.map(({ length }) => length)).toEqual([3, 3]);
    expect(await guerdon.balance(zone, 'gold')).toBe(6);
    expect((await guerdon.achievements.getUserStreak({ userId: zone })).longest).toBe(3n);
  }
  await guerdon.finish();
});

it('a traveller from Auckland to Honolulu and back keeps the streak, and has no day twice', async () => {
  const guerdon = await startTimed('2024-06-01T00:00Z');
  await guerdon.apply(economy('daily', [every(1, 1)]));
  const plan: [from: string, zone: string][] = [
    ['2024-06-01T00:00Z', 'Pacific/Auckland'],
    ['2024-06-05T20:00Z', 'Pacific/Honolulu'],
    ['2024-06-12T21:00Z', 'Pacific/Auckland'],
  ];
  const until = Date.parse('2024-06-20T00:00Z');
  for (let at = Date.parse('2024-06-01T00:00Z'); at < until; at += 6 * HOUR) {
    guerdon.move(new Date(at).toISOString());
    const tz = plan.findLast(([from]) => Date.parse(from) <= at)?.[1] as string;
    const { streak } = await guerdon.send('kea', { profile: { tz } });
    expect(streak?.streak?.started).toBe('2024-06-01');
    const { current } = await guerdon.achievements.getUserStreak({ userId: 'kea' });
    expect(current?.length).toBe(streak?.streak?.length);
  }
  // In Auckland it is the 20th at the end: 20 dates since the 1st, each of which counted once.
  const { current, longest } = await guerdon.achievements.getUserStreak({ userId: 'kea' });
  expect([current?.length, longest, await guerdon.balance('kea', 'gold')]).toEqual([20n, 20n, 20]);
  await guerdon.finish();
});

it('days that come all at once, single and in lists, with a change of zone among them, make one streak', async () => {
  const guerdon = await startTimed('2024-06-01T12:00Z');
  await guerdon.apply(economy('daily', [every(4, 1)]));
  const days = Array.from({ length: 40 }, (_, day) => guerdon.running.context.now() - (39 - day) * DAY);
  for (const id of ['ada', 'bob']) await guerdon.users.createUser({ user: { id, tz: 'Europe/Berlin' } });
  await Promise.all([
    sendAt(guerdon, 'ada', days.filter((_, day) => day % 3 === 0).toReversed()),
    guerdon.users.updateUser({ user: { id: 'ada', tz: 'Asia/Tokyo' } }),
    sendAt(
      guerdon,
      'ada',
      days.filter((_, day) => day % 3 === 1),
    ),
    ...days.filter((_, day) => day % 3 === 2).map((at) => guerdon.send('ada', { occurredAt: timestampFromMs(at) })),
    sendAt(guerdon, 'bob', days.slice(0, 39)),
  ]);
  const ada = await guerdon.achievements.getUserStreak({ userId: 'ada' });
  expect([ada.current?.length, ada.longest, await guerdon.balance('ada', 'gold')]).toEqual([40n, 40n, 10]);
  const bob = await guerdon.achievements.getUserStreak({ userId: 'bob' });
  expect([bob.current?.length, bob.longest, await guerdon.balance('bob', 'gold')]).toEqual([39n, 39n, 9]);
  await guerdon.finish();
});

describe('what counts', () => {
  it('is an event of positive value of a metric that is listed', async () => {
    const guerdon = await startTimed('2024-06-01T12:00Z');
    await guerdon.apply(economy('daily', [every(1, 1)]));
    for (const more of [{ value: '0' }, { value: '-1' }, { metricKey: 'naps' }]) {
      const { streak } = await guerdon.send('ada', more);
      expect(streak).toBeUndefined();
      expect((await guerdon.achievements.getUserStreak({ userId: 'ada', periods: 1 })).current?.length).toBe(0n);
    }
    expect((await guerdon.send('ada', { value: '0.000000001' })).streak).toMatchObject({ extended: true });
    expect((await guerdon.send('ada', { metricKey: 'pages' })).streak).toMatchObject({ extended: false });
    await guerdon.apply(economy('daily', [every(1, 1)], []));
    guerdon.move(DAY);
    const { streak } = await guerdon.send('ada', { metricKey: 'naps' });
    expect(streak).toMatchObject({
      extended: true,
      streak: { length: 2n, started: '2024-06-01', expires: '2024-06-03' },
    });
    expect(await guerdon.balance('ada', 'gold')).toBe(2);
    await guerdon.finish();
  });

  it('goes on through the period after, and then is over', async () => {
    const guerdon = await startTimed('2024-06-01T12:00Z');
    await guerdon.apply(economy('daily'));
    for (let day = 0; day < 3; day += 1) {
      await guerdon.send('ada');
      guerdon.move(DAY);
    }
    const streak = () => guerdon.achievements.getUserStreak({ userId: 'ada', periods: 2 });
    expect(await streak()).toMatchObject({
      current: {
        length: 3n,
        started: '2024-06-01',
        periodStart: '2024-06-03',
        periodEnd: '2024-06-03',
        expires: '2024-06-04',
      },
      longest: 3n,
      periods: [
        { start: '2024-06-03', end: '2024-06-03', length: 3n },
        { start: '2024-06-04', end: '2024-06-04', length: 0n },
      ],
    });
    guerdon.move(DAY);
    expect(await streak()).toMatchObject({ current: { length: 0n, started: '', expires: '' }, longest: 3n });
    await guerdon.finish();
  });

  it('begins anew with another frequency, and is found again with the old one', async () => {
    const guerdon = await startTimed('2024-06-03T12:00Z');
    await guerdon.apply(economy('daily', [every(2, 1)]));
    for (let day = 0; day < 4; day += 1) {
      await guerdon.send('ada');
      guerdon.move(DAY);
    }
    await guerdon.apply(economy('weekly', [every(2, 1)]));
    const length = async () => {
      const { current, longest } = await guerdon.achievements.getUserStreak({ userId: 'ada' });
      return [current?.length, longest];
    };
    expect(await length()).toEqual([0n, 0n]);
    await guerdon.send('ada');
    expect([await length(), await guerdon.balance('ada', 'gold')]).toEqual([[1n, 1n], 2]);
    guerdon.move(7 * DAY);
    await guerdon.send('ada');
    expect([await length(), await guerdon.balance('ada', 'gold')]).toEqual([[2n, 2n], 3]);
    await guerdon.apply(economy('daily', [every(2, 1)]));
    expect(await length()).toEqual([0n, 4n]);
    await guerdon.finish();
  });
});

it("an edit of a trigger's length, a pause and a filter pay nothing for the past", async () => {
  const guerdon = await startTimed('2024-06-01T12:00Z');
  const edited = (more: object) => economy('daily', [{ ...every(5, 100), key: 'streak', ...more }]);
  await guerdon.apply(edited({}));
  const added: number[] = [];
  const days = async (count: number) => {
    for (let day = 0; day < count; day += 1) {
      added.push(Number((await guerdon.send('ada')).points.gold?.added ?? 0n));
      guerdon.move(DAY);
    }
  };
  await days(6);
  await guerdon.apply(edited({ length: 2 }));
  await days(3);
  await guerdon.apply(edited({ length: 2, status: 'inactive' }));
  await days(3);
  await guerdon.apply(edited({ length: 7 }));
  await days(3);
  expect(added).toEqual([0, 0, 0, 0, 100, 0, /* 7 */ 0, 100, 0, /* 10 */ 0, 0, 0, /* 13 */ 0, 100, 0]);
  await guerdon.finish();
});
