import { expect, it } from '@jest/globals';
import { sendJob } from '../../src/queue/coalesce.ts';
import { announcements, listen } from '../support/boosts.ts';
import { instant, startTimed, type TimedGuerdon } from '../support/clock.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/wait.ts';
import { ALLOWED, addWebhook } from '../support/webhooks.ts';

function economy(frequency: string | null, more: object = {}): object {
  const metrics = ['lessons', 'naps'].map((key) => ({ key, name: key }));
  const streak = frequency === null ? {} : { streak: { frequency, metrics: ['lessons'] } };
  return { metrics, ...streak, systems: [{ key: 'gold', name: 'Gold' }], ...more };
}

async function startCounting(from: string, frequency = 'daily'): Promise<TimedGuerdon> {
  const guerdon = await startTimed(from);
  await guerdon.apply(economy(frequency));
  await listen(guerdon.database);
  return guerdon;
}

/** What was told of streaks: of whom, what, and of how many periods. */
async function told({ database }: TimedGuerdon): Promise<[user: string, kind: string, length: number][]> {
  const { rows } = await database.pool.query('select id, external_id from users');
  const names = new Map(rows.map((row) => [row.id, row.external_id]));
  return (await announcements(database))
    .filter(({ kind }) => kind.startsWith('streak_'))
    .map(({ user_id, kind, payload }) => [
      names.get(user_id) as string,
      kind.slice('streak_'.length),
      Number(payload.last) - Number(payload.first) + 1,
    ]);
}

/** Runs whose end the workers have yet to look at. */
const due = async ({ database, running }: TimedGuerdon) =>
  (
    await database.pool.query('select count(*)::int from streak_runs where due_at < $1', [
      new Date(running.context.now() - 60_000),
    ])
  ).rows[0].count as number;
const untilLooked = (guerdon: TimedGuerdon) =>
  until(async () => (await due(guerdon)) === 0, { what: 'the look for streaks that are over' });

it('the loss of a streak is told once its next day has gone by, with its length', async () => {
  const guerdon = await startTimed('2024-03-01T12:00Z', 'postgres', ALLOWED);
  const receiver = await startReceiver();
  await guerdon.apply(economy('daily'));
  await addWebhook(guerdon, { url: receiver.url, eventTypes: ['streak.lost'] });
  await guerdon.send('ada', { profile: { tz: 'Europe/Berlin' } });
  guerdon.move('2024-03-02T12:00Z');
  await guerdon.send('ada');
  await guerdon.letSettle();
  // The third ends in Berlin an hour before it does in UTC.
  guerdon.move('2024-03-03T22:59:59Z');
  expect((await guerdon.achievements.getUserStreak({ userId: 'ada' })).current?.length).toBe(2n);
  await untilLooked(guerdon);
  guerdon.move('2024-03-03T23:01:01Z');
  expect((await guerdon.achievements.getUserStreak({ userId: 'ada' })).current?.length).toBe(0n);
  const [call] = await receiver.untilTaken(1);
  expect(call?.body).toEqual({
    type: 'streak.lost',
    user: {
      id: 'ada',
      email: null,
      name: null,
      tz: 'Europe/Berlin',
      deviceTokens: null,
      subscribeToEmails: false,
      attributes: {},
      control: false,
      created: '2024-03-01T12:00:00.000Z',
      updated: '2024-03-02T12:00:00.000Z',
    },
    length: 2,
  });
  guerdon.move('2024-04-01T00:00Z');
  await untilLooked(guerdon);
  expect(receiver.received).toHaveLength(1);
  await guerdon.finish();
  await receiver.close();
});

it('who begins another streak before the look hears of the loss first, and once', async () => {
  const guerdon = await startCounting('2024-03-01T12:00Z');
  await guerdon.send('ada');
  guerdon.move('2024-03-02T12:00Z');
  await guerdon.send('ada');
  guerdon.move('2024-03-09T12:00Z');
  await guerdon.send('ada', { metricKey: 'naps' });
  await guerdon.send('ada');
  const all = [
    ['ada', 'started', 1],
    ['ada', 'extended', 2],
    ['ada', 'lost', 2],
    ['ada', 'started', 1],
  ];
  expect(await told(guerdon)).toEqual(all);
  await guerdon.letSettle();
  await untilLooked(guerdon);
  expect(await told(guerdon)).toEqual(all);
  guerdon.move('2024-03-12T12:00Z');
  await untilLooked(guerdon);
  expect(await told(guerdon)).toEqual([...all, ['ada', 'lost', 1]]);
  await guerdon.finish();
});

it('an event that comes late saves a streak; one that is told to be lost and goes on is lost again', async () => {
  const guerdon = await startCounting('2024-03-01T12:00Z');
  for (const user of ['ada', 'bob']) await guerdon.send(user);
  guerdon.move('2024-03-03T12:00Z');
  await guerdon.send('ada', { occurredAt: instant('2024-03-02T23:00Z') });
  await guerdon.letSettle();
  await untilLooked(guerdon);
  const first = [
    ['ada', 'started', 1],
    ['bob', 'started', 1],
    ['ada', 'extended', 2],
    ['bob', 'lost', 1],
  ];
  expect(await told(guerdon)).toEqual(first);
  await guerdon.send('bob', { occurredAt: instant('2024-03-02T23:00Z') });
  guerdon.move('2024-03-04T12:00Z');
  await untilLooked(guerdon);
  const more = (await told(guerdon)).slice(first.length);
  expect(more[0]).toEqual(['bob', 'extended', 2]);
  expect(more.slice(1).sort()).toEqual([
    ['ada', 'lost', 2],
    ['bob', 'lost', 2],
  ]);
  await guerdon.finish();
});

it('what was over when it was told was never anybody’s streak, and takes no loss from the one that is', async () => {
  const guerdon = await startCounting('2024-03-10T12:00Z');
  await guerdon.send('ada', { occurredAt: instant('2024-03-01T12:00Z') });
  await guerdon.send('ada', { occurredAt: instant('2024-03-09T12:00Z') });
  await guerdon.send('ada', { occurredAt: instant('2024-03-02T12:00Z') });
  await guerdon.send('ada', { occurredAt: instant('2024-03-08T12:00Z') });
  await guerdon.letSettle();
  guerdon.move('2024-03-20T12:00Z');
  await untilLooked(guerdon);
  expect((await told(guerdon)).filter(([, kind]) => kind === 'lost')).toEqual([['ada', 'lost', 2]]);
  await guerdon.finish();
});

it('who moves to another zone loses a streak when the day ends there', async () => {
  const guerdon = await startCounting('2024-03-01T12:00Z');
  for (const user of ['east', 'west', 'never']) await guerdon.send(user, { profile: { tz: 'UTC' } });
  await guerdon.users.updateUser({ user: { id: 'east', tz: 'Asia/Tokyo' } });
  await guerdon.send('west', { metricKey: 'naps', profile: { tz: 'America/Los_Angeles' } });
  await guerdon.letSettle();
  guerdon.move('2024-03-02T14:59Z');
  await untilLooked(guerdon);
  const lost = async () => (await told(guerdon)).flatMap(([user, kind]) => (kind === 'lost' ? [user] : []));
  expect(await lost()).toEqual([]);
  guerdon.move('2024-03-02T15:02Z');
  await until(async () => (await lost()).length === 1, { what: 'the loss in Tokyo' });
  guerdon.move('2024-03-03T00:02Z');
  await until(async () => (await lost()).length === 2, { what: 'the loss in UTC' });
  await untilLooked(guerdon);
  guerdon.move('2024-03-03T07:59Z');
  await untilLooked(guerdon);
  expect(await lost()).toEqual(['east', 'never']);
  guerdon.move('2024-03-03T08:02Z');
  await until(async () => (await lost()).length === 3, { what: 'the loss in Los Angeles' });
  expect(await lost()).toEqual(['east', 'never', 'west']);
  await guerdon.finish();
});

it.each([
  ['weekly', '2024-03-17T23:59Z', '2024-03-18T00:02Z'],
  ['monthly', '2024-04-30T23:59Z', '2024-05-01T00:02Z'],
])('a %s streak ends with its next period', async (frequency, before, after) => {
  const guerdon = await startCounting('2024-03-06T12:00Z', frequency);
  await guerdon.send('ada');
  await guerdon.letSettle();
  guerdon.move(before);
  await untilLooked(guerdon);
  expect(await told(guerdon)).toEqual([['ada', 'started', 1]]);
  guerdon.move(after);
  await untilLooked(guerdon);
  expect(await told(guerdon)).toEqual([
    ['ada', 'started', 1],
    ['ada', 'lost', 1],
  ]);
  await guerdon.finish();
});

it('nobody loses a streak by another way of counting, nor hears later of what nobody wanted to know', async () => {
  const guerdon = await startTimed('2024-03-01T12:00Z');
  await guerdon.apply(economy('daily'));
  await guerdon.send('unheard');
  await guerdon.letSettle();
  guerdon.move('2024-03-03T12:00Z');
  await untilLooked(guerdon);
  await listen(guerdon.database);
  await guerdon.send('ada');
  await guerdon.apply(economy('weekly'));
  guerdon.move('2024-03-05T12:00Z');
  await untilLooked(guerdon);
  await guerdon.apply(economy('daily'));
  await guerdon.send('unheard');
  await guerdon.apply(economy(null));
  guerdon.move('2024-03-09T12:00Z');
  await untilLooked(guerdon);
  expect((await told(guerdon)).filter(([, kind]) => kind === 'lost')).toEqual([]);
  await guerdon.finish();
});

it('a batch that waited long tells all of a user in order', async () => {
  const guerdon = await startCounting('2024-03-01T12:00Z');
  const days = ['2024-03-01', '2024-03-02', '2024-03-05', '2024-03-06', '2024-03-10'];
  const { projectId } = (await guerdon.database.pool.query('select min(id)::text as "projectId" from projects'))
    .rows[0];
  const { rows } = await guerdon.database.pool.query(`select id::text from metrics where key = 'lessons'`);
  guerdon.move('2024-03-20T12:00Z');
  const commands = days.map((day) => ({
    kind: 'event' as const,
    id: guerdon.running.context.uuid(),
    projectId,
    user: 'ada',
    receivedAt: Date.parse(`${day}T12:00Z`),
    profile: {},
    metricId: rows[0].id,
    value: '1',
    attributes: {},
    key: null,
    occurredAt: Date.parse(`${day}T12:00Z`),
    occurredAtSent: false,
  }));
  const queue = guerdon.running.context.backend.queue();
  await sendJob(queue, { commands });
  await queue.close();
  await until(async () => (await told(guerdon)).length >= 7, { what: 'all events' });
  await guerdon.letSettle();
  await untilLooked(guerdon);
  expect((await told(guerdon)).map(([, kind, length]) => `${kind} ${length}`)).toEqual([
    'started 1',
    'extended 2',
    'lost 2',
    'started 1',
    'extended 2',
    'lost 2',
    'started 1',
    'lost 1',
  ]);
  await guerdon.finish();
});
