import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Clients, clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

// What is asked for at once is read together; each call is to be answered as if it were alone.

let guerdon: TestGuerdon;
/** Two projects with the same keys and the same users. */
let projects: Clients[];
beforeAll(async () => {
  guerdon = await startGuerdon();
  const { created } = await guerdon.admin.createProjects({
    projects: ['one', 'two'].map((key) => ({ key, name: key })),
  });
  projects = created.map(({ adminKey }) => clientsOf(guerdon.grpcPort, adminKey));
  for (const [place, { admin }] of projects.entries()) await admin.applyEconomy({ file: economy(`Points ${place}`) });
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const economy = (name: string, more = '') => `metrics: [{ key: pages, name: Pages }]
systems:
  - { key: coins, name: Coins }
  - { key: xp, name: ${name}, triggers: [{ key: read, type: metric, metric: pages, threshold: 1, points: 1 }] }
${more}`;

const answer = (call: Promise<unknown>) =>
  call.catch((error) => {
    const { code, rawMessage } = ConnectError.from(error);
    return [Code[code], rawMessage];
  });

it('users, points systems, numbers of awards and projects that are asked for at once', async () => {
  const users = Array.from({ length: 12 }, (_, user) => `u${user}`);
  for (const [place, { events, boosts }] of projects.entries()) {
    await events.sendEvents({
      events: users.flatMap((id, user) =>
        Array.from({ length: 1 + ((user + place) % 5) }, (_, event) => ({
          metricKey: 'pages',
          user: { id },
          value: String(1 + user * 10 + place),
          idempotencyKey: `e${event}`,
        })),
      ),
    });
    await boosts.createBoosts({
      systemKey: 'xp',
      boosts: [{ userId: 'u3', name: `Own ${place}`, multiplier: '2', start: '2024-01-01' }],
    });
  }
  const calls = projects.flatMap(({ points, boosts }) => [
    ...[...users, 'u3', 'u3', 'nobody'].flatMap((userId, at) => [
      () => points.getUserPoints({ userId, systemKey: 'xp', awards: at % 4 }),
      () => points.getUserPoints({ userId, systemKey: at % 2 === 0 ? 'coins' : 'xp' }),
      () => points.getUserPoints({ userId, systemKey: 'none' }),
      () => points.listUserPoints({ userId, awards: 2 }),
      () => boosts.listUserBoosts({ userId, systemKey: 'xp' }),
    ]),
  ]);
  const alone = [];
  for (const call of calls) alone.push(await answer(call()));
  const together = await Promise.all(calls.map((call) => answer(call())));
  expect(together).toEqual(alone);
  const found = await projects[1]?.points.getUserPoints({ userId: 'u3', systemKey: 'xp' });
  expect(found).toMatchObject({ name: 'Points 1', total: 160n, boosts: [{ name: 'Own 1' }] });
  expect(found?.awards.map(({ balanceAfter }) => balanceAfter)).toEqual([160n, 128n, 96n, 64n, 32n]);
  expect(alone.slice(-2).map((one) => (one as string[])[0])).toEqual(['NotFound', 'NotFound']);
});

it('a change of the program is seen by whatever is asked for after it was answered, whoever else asks', async () => {
  const { admin, points } = projects[0] as Clients;
  const change = async (round: number): Promise<void> => {
    const name = `Named ${round}`;
    const extra = round % 2 === 0;
    await admin.applyEconomy({ file: economy(name, extra ? '  - { key: extra, name: Extra }' : '') });
    const [xp, other, list] = await Promise.all([
      points.getUserPoints({ userId: 'u1', systemKey: 'xp' }),
      answer(points.getUserPoints({ userId: 'u1', systemKey: 'extra' })),
      points.listUserPoints({ userId: 'u1', awards: 100 }),
    ]);
    expect(xp.name).toBe(name);
    expect(list.points.map((one) => one.key)).toEqual(extra ? ['coins', 'extra', 'xp'] : ['coins', 'xp']);
    if (extra) expect(other).toMatchObject({ total: 0n });
    else expect(other).toEqual(['NotFound', 'system_key: no points system "extra"']);
  };
  for (let round = 0; round < 4; round += 1) await change(round);
  let over = false;
  const reader = async () => {
    while (!over) await points.getUserPoints({ userId: 'u1', systemKey: 'xp' });
  };
  const readers = Array.from({ length: 10 }, reader);
  try {
    for (let round = 0; round < 20; round += 1) await change(round);
  } finally {
    over = true;
    await Promise.all(readers);
  }
});

it('what cannot be read of one user fails that call alone', async () => {
  const { points, events } = projects[0] as Clients;
  await events.sendEvent({ metricKey: 'pages', user: { id: 'broken' }, value: '1' });
  const { pool } = guerdon.database;
  const set = (decision: string) =>
    pool.query(`update events e set decision = ${decision} from users u where u.id = e.user_id
      and u.external_id = 'broken'`);
  await pool.query('alter table events disable trigger user');
  await set(`jsonb_build_object('was', decision)`);
  const calls = ['u1', 'broken', 'u2', 'u3'].map((userId) => answer(points.getUserPoints({ userId, systemKey: 'xp' })));
  const [first, broken, ...others] = await Promise.all(calls);
  expect(broken).toMatchObject(['Internal', expect.any(String)]);
  expect([first, ...others].every((one) => (one as { key?: string }).key === 'xp')).toBe(true);
  await set(`decision -> 'was'`);
  await pool.query('alter table events enable trigger user');
});
