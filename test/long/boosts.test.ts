import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { addBoosts, addUsers, announced, listen, statuses } from '../support/boosts.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { until } from '../support/wait.ts';

const BOOSTS = 100_000;
const EVENTS = 600;
const ROUNDS = 5;

const say = (text: string) => process.stdout.write(`${text}\n`);
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

/** Milliseconds that one event at a time takes, in the middle. */
async function costOfEvent(guerdon: TestGuerdon, round: string): Promise<number> {
  const took: number[] = [];
  for (let index = 0; index < EVENTS; index += 1) {
    const event = {
      metricKey: 'lessons',
      user: { id: `sender${index % 50}` },
      value: '1',
      idempotencyKey: `${round}-${index}`,
    };
    const begin = performance.now();
    await guerdon.events.sendEvent(event);
    took.push(performance.now() - begin);
  }
  return median(took);
}

describeOnBackends('100,000 boosts of single users', (kind) => {
  it('are made by bulk calls, activated and finished by the jobs, each once, and cost the events of others nothing', async () => {
    const guerdon = await startGuerdon(kind);
    const { database } = guerdon;
    await listen(database);
    const users = await addUsers(database, BOOSTS, 'UTC');
    await costOfEvent(guerdon, 'warm');
    const without: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) without.push(await costOfEvent(guerdon, `without${round}`));

    const far = timestampFromMs(Date.now() + 3_600_000);
    let begin = performance.now();
    const ids = await addBoosts(guerdon, users, { startTime: far });
    const made = performance.now() - begin;
    expect(ids).toHaveLength(BOOSTS);

    const past = Date.now() - 60_000;
    const due = (column: string) =>
      database.pool.query(`update user_boosts set ${column} = $1, due_at = $1`, [new Date(past)]);
    const look = async () => guerdon.running.context.schedule.at(Date.now(), Date.now());
    await due('starts_at');
    begin = performance.now();
    await look();
    await until(async () => (await statuses(database)).active === BOOSTS, {
      what: 'all to be active',
      timeoutMs: 120_000,
    });
    const activated = performance.now() - begin;
    expect(await announced(database)).toEqual({ started: BOOSTS, finished: 0, again: 0 });

    await database.pool.query('vacuum analyze user_boosts');
    const beside: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) beside.push(await costOfEvent(guerdon, `beside${round}`));

    await due('ends_at');
    begin = performance.now();
    await look();
    await until(async () => (await statuses(database)).finished === BOOSTS, {
      what: 'all to be finished',
      timeoutMs: 120_000,
    });
    const finished = performance.now() - begin;
    expect(await announced(database)).toEqual({ started: BOOSTS, finished: BOOSTS, again: 0 });

    const ratio = median(beside) / median(without);
    const figures = { without: median(without), beside: median(beside), ratio, made, activated, finished };
    say(`100,000 boosts (queue on ${kind}), ms: ${JSON.stringify(figures)}`);
    expect(ratio).toBeLessThan(1.5);
    await guerdon.close();
  });
});
