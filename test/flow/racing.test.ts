import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnBackends } from '../support/backends.ts';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound, versionsOf } from '../support/ledger.ts';

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

function codeOf(result: PromiseSettledResult<unknown>): Code | 'ok' {
  return result.status === 'fulfilled' ? 'ok' : ConnectError.from(result.reason).code;
}

function tally<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

describeOnBackends('calls at once', (kind) => {
  let guerdon: TestGuerdon;
  beforeAll(async () => {
    guerdon = await startGuerdon(kind);
  });
  afterAll(async () => {
    await expectSound(guerdon.database);
    await guerdon.close();
  });

  const lesson = (user: string, idempotencyKey: string, value = '1') =>
    guerdon.events.sendEvent({ metricKey: 'lessons', user: { id: user }, value, idempotencyKey });
  const total = async (user: string, systemKey = 'xp') =>
    (await guerdon.points.getUserPoints({ userId: user, systemKey })).total;

  it('the same event 100 times: one application, 99 replays', async () => {
    const answers = await Promise.all(times(100).map(() => lesson('same', 'k')));
    expect(tally(answers.map((answer) => answer.idempotentReplayed))).toEqual(
      new Map([
        [false, 1],
        [true, 99],
      ]),
    );
    expect(new Set(answers.map((answer) => answer.eventId)).size).toBe(1);
    expect(await total('same')).toBe(10n);
  });

  it('1,000 different events of one user: the exact sum, and versions 1 to 1,000 without a gap', async () => {
    await Promise.all(times(1000).map((index) => lesson('busy', `k${index}`)));
    expect(await total('busy')).toBe(10_000n);
    expect(await total('busy', 'energy')).toBe(25n);
    expect(await versionsOf(guerdon.database, 'busy', 'xp')).toEqual(times(1000).map((index) => index + 1));
  });

  it('one key with ten values: one is applied, the others are refused and change nothing', async () => {
    const results = await Promise.allSettled(times(10).map((index) => lesson('torn', 'k', String(index + 1))));
    expect(tally(results.map(codeOf))).toEqual(
      new Map<Code | 'ok', number>([
        ['ok', 1],
        [Code.AlreadyExists, 9],
      ]),
    );
    const won = results.find((result) => result.status === 'fulfilled');
    expect((await guerdon.points.getUserPoints({ userId: 'torn', systemKey: 'xp' })).total).toBe(
      won?.value.points.xp?.added,
    );
  });

  it('one key for two metrics: two events', async () => {
    const both = ['lessons', 'commits'].map((metricKey) =>
      guerdon.events.sendEvent({ metricKey, user: { id: 'two' }, value: '1', idempotencyKey: 'k' }),
    );
    expect((await Promise.all(both)).map((answer) => answer.idempotentReplayed)).toEqual([false, false]);
    expect(await total('two')).toBe(20n);
  });

  it('the same spend 100 times: one spend', async () => {
    await lesson('spender', 'k', '10');
    const spend = () =>
      guerdon.points.spendPoints({ userId: 'spender', systemKey: 'xp', amount: 30n, idempotencyKey: 's' });
    const answers = await Promise.all(times(100).map(spend));
    expect(tally(answers.map((answer) => answer.idempotentReplayed)).get(false)).toBe(1);
    expect(await total('spender')).toBe(70n);
  });

  it('50 spends of 10 from a balance of 100: exactly ten succeed', async () => {
    await lesson('poor', 'k', '10');
    const results = await Promise.allSettled(
      times(50).map((index) =>
        guerdon.points.spendPoints({ userId: 'poor', systemKey: 'xp', amount: 10n, idempotencyKey: `s${index}` }),
      ),
    );
    expect(tally(results.map(codeOf))).toEqual(
      new Map<Code | 'ok', number>([
        ['ok', 10],
        [Code.FailedPrecondition, 40],
      ]),
    );
    expect(await total('poor')).toBe(0n);
  });

  it('a new user in 50 events: one user', async () => {
    await Promise.all(times(50).map((index) => lesson('newborn', `k${index}`)));
    const { rows } = await guerdon.database.pool.query(`select id from users where external_id = 'newborn'`);
    expect(rows).toHaveLength(1);
    expect(await total('newborn')).toBe(500n);
  });

  it('a list and its repeat: the order is kept, and the repeat changes nothing', async () => {
    const events = times(500).map((index) => ({
      metricKey: 'lessons',
      user: { id: `list${index % 5}` },
      value: '1',
      idempotencyKey: `k${index}`,
    }));
    const [first, second] = await Promise.all([
      guerdon.events.sendEvents({ events }),
      guerdon.events.sendEvents({ events }),
    ]);
    for (const { results } of [first, second]) {
      expect(results.every(({ result }) => result.case === 'event')).toBe(true);
    }
    const { events: stored } = await guerdon.events.listEvents({ userId: 'list0', pageSize: 500 });
    expect(stored.map((event) => event.idempotencyKey)).toEqual(times(100).map((index) => `k${(99 - index) * 5}`));
  });
});
