import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { type RestClient, restClient } from '../support/rest.ts';

let guerdon: TestGuerdon;
let rest: RestClient;
let at = '';
beforeAll(async () => {
  guerdon = await startGuerdon();
  rest = await restClient(guerdon);
  const { body } = await rest.get('/admin/v1/points');
  at = `/admin/v1/points/${body.find(({ key }: { key: string }) => key === 'xp').id}/boosts`;
  for (const id of ['ada', 'bob'])
    await rest.post('/v1/users', { id, attributes: { plan: id === 'ada' ? 'pro' : 'free' } });
});
afterAll(() => guerdon.close());

const UNKNOWN = '01890a5d-ac96-774b-bcce-b302099a8057';
const commit = async (user: string) =>
  (await rest.post('/v1/metrics/commits/event', { user: { id: user }, value: 1 })).body.points.xp;

describe('boosts of a points system', () => {
  it('are made for one user or for all that match, and say what they multiply', async () => {
    const [{ id: plan }] = (await rest.get('/admin/v1/attributes')).body;
    const userAttributes = [{ attributeId: plan, attributeValue: 'pro' }];
    const boost = { name: 'Boost', start: '2024-01-01', multiplier: 2 };
    const made = await rest.post(at, [
      { ...boost, userId: 'ada', end: '2999-12-31', rounding: 'up' },
      { ...boost, multiplier: 1.25, userAttributes },
      { ...boost, userId: 'nobody' },
      { ...boost, userId: 'ada', userAttributes },
      { ...boost, multiplier: 100 },
      { ...boost, end: '2023-12-31' },
      { ...boost, name: 'x'.repeat(256) },
      { ...boost, start: '2999-01-01', end: null, multiplier: 0.5 },
    ]);
    expect(made.status).toBe(201);
    expect(made.body.created).toEqual([
      {
        id: expect.any(String),
        name: 'Boost',
        status: 'active',
        start: '2024-01-01',
        end: '2999-12-31',
        multiplier: 2,
        rounding: 'up',
        userId: 'ada',
      },
      {
        id: expect.any(String),
        name: 'Boost',
        status: 'active',
        start: '2024-01-01',
        end: null,
        multiplier: 1.25,
        rounding: 'down',
        userId: null,
        userAttributes,
      },
      {
        id: expect.any(String),
        name: 'Boost',
        status: 'scheduled',
        start: '2999-01-01',
        end: null,
        multiplier: 0.5,
        rounding: 'down',
        userId: null,
        userAttributes: [],
      },
    ]);
    const errors = made.body.issues.filter(({ severity }: { severity: string }) => severity === 'error');
    expect(errors.map(({ index, message }: { index: number; message: string }) => [index, message])).toEqual([
      [2, 'User does not exist'],
      [3, 'userAttributes must be left out when userId is given: a boost is for one user or for all that match'],
      [4, 'multiplier must be < 100'],
      [5, 'end must not be before start'],
      [6, 'name must NOT have more than 255 characters'],
    ]);
    expect(await commit('ada')).toMatchObject({
      added: 25,
      awards: [{ boosts: [{ multiplier: 1.25 }, { multiplier: 2 }] }],
    });
    expect(await commit('bob')).toMatchObject({ added: 10, awards: [{ boosts: [] }] });
    const adas = (await rest.get('/v1/users/ada/points/xp/boosts')).body;
    expect(adas.map(({ id }: { id: string }) => id)).toEqual([made.body.created[0].id, made.body.created[1].id]);
    expect(adas[0]).toEqual({
      id: made.body.created[0].id,
      name: 'Boost',
      status: 'active',
      start: '2024-01-01',
      end: '2999-12-31',
      multiplier: 2,
      rounding: 'up',
    });
    const global = (await rest.get('/v1/points/xp/boosts')).body;
    expect(global.map(({ status }: { status: string }) => status)).toEqual(['active', 'scheduled']);
    expect((await rest.get('/v1/users/nobody/points/xp/boosts')).status).toBe(404);
    expect((await rest.get('/v1/points/gems/boosts')).status).toBe(404);
  });

  it('are listed, read, changed and deleted', async () => {
    const all = (await rest.get(at)).body;
    expect(all).toHaveLength(3);
    expect((await rest.get(`${at}?limit=1&skip=1`)).body).toEqual([all[1]]);
    expect((await rest.get(`${at}/${all[0].id}`)).body).toEqual(all[0]);
    expect((await rest.get(`${at}/${UNKNOWN}`)).status).toBe(404);
    expect((await rest.get(at.replace(/points\/[^/]+/, `points/${UNKNOWN}`))).status).toBe(404);
    const changed = await rest.patch(at, [
      { id: all[0].id, end: null, multiplier: 3.5, rounding: 'down' },
      { id: all[1].id, userAttributes: null },
      { id: all[2].id },
      { id: UNKNOWN, name: 'x' },
      { id: all[0].id, multiplier: 1 },
    ]);
    expect(changed.body.updated).toEqual([
      { ...all[0], end: null, multiplier: 3.5, rounding: 'down' },
      { ...all[1], userAttributes: [] },
      all[2],
    ]);
    const errors = changed.body.issues.filter(({ severity }: { severity: string }) => severity === 'error');
    expect(errors).toEqual([
      { severity: 'error', index: 3, id: UNKNOWN, message: 'Points boost not found by ID' },
      { severity: 'error', index: 4, id: all[0].id, message: 'multiplier must be above 0 and below 100, and not 1' },
    ]);
    const ended = await rest.patch(at, [{ id: all[1].id, end: '2024-02-01' }]);
    expect(ended.body.updated).toMatchObject([{ status: 'finished' }]);
    const shown = async (query = '') => (await rest.get(`/v1/points/xp/boosts${query}`)).body;
    expect((await shown()).map(({ id }: { id: string }) => id)).toEqual([all[2].id]);
    expect((await shown('?includeFinished=true')).map(({ status }: { status: string }) => status)).toEqual([
      'finished',
      'scheduled',
    ]);
    expect((await rest.get('/v1/points/xp/boosts?includeFinished=perhaps')).status).toBe(422);
    const gone = await rest.del(`${at}?ids=${all[0].id},${UNKNOWN}`);
    expect(gone.body).toEqual({
      deleted: [{ id: all[0].id }],
      issues: [{ severity: 'error', id: UNKNOWN, message: 'Points boost not found by ID' }],
    });
    expect((await rest.get(`${at}/${all[0].id}`)).status).toBe(404);
    expect(await commit('ada')).toMatchObject({ added: 10 });
  });
});

describe('boosts of single users, as older clients make them', () => {
  const path = '/admin/v1/points/boosts';
  const boost = { userId: 'bob', name: 'Gift', start: '2024-01-01', multiplier: 3 };

  it('are made by the key of their points system, up to 1,000 at once', async () => {
    const boosts = [boost, { ...boost, userId: 'nobody' }, { name: 'x', start: '2024-01-01', multiplier: 2 }];
    const made = await rest.post(path, { systemKey: 'xp', boosts });
    expect(made.status).toBe(201);
    expect(made.body.created).toEqual([
      { id: expect.any(String), status: 'active', end: null, rounding: 'down', ...boost },
    ]);
    const told = (index: number, userId: string, message: string) =>
      expect.objectContaining({ index, userId, severity: 'error', message, level: 'error', reason: message });
    expect(made.body.issues).toEqual(
      expect.arrayContaining([told(1, 'nobody', 'User does not exist'), told(2, '', 'userId must be given')]),
    );
    expect(await commit('bob')).toMatchObject({ added: 30 });
    const many = Array.from({ length: 1001 }, () => ({ ...boost, start: '2999-01-01' }));
    expect((await rest.post(path, { systemKey: 'xp', boosts: many })).status).toBe(422);
    const full = await rest.post(path, { systemKey: 'coins', boosts: many.slice(0, 900) });
    expect(full.body.created).toHaveLength(900);
    expect((await rest.post(path, { systemKey: 'gems', boosts: [boost] })).status).toBe(404);
    expect((await rest.post(path, { systemKey: 'xp', boosts: [{ ...boost, userId: 'nobody' }] })).status).toBe(200);
  });

  it('are deleted by their ids, many or one', async () => {
    const { body } = await rest.post(path, {
      systemKey: 'xp',
      boosts: [boost, boost, boost].map((item) => ({ ...item, end: '2999-01-01' })),
    });
    const [first, second, third] = body.created.map(({ id }: { id: string }) => id);
    const gone = await rest.del(`${path}?ids=${first}&ids=${second},${UNKNOWN}`);
    expect(gone.body).toMatchObject({
      archivedCount: 2,
      deleted: expect.arrayContaining([{ id: first }, { id: second }]),
      issues: [{ severity: 'warning', boostId: UNKNOWN, level: 'warning' }],
    });
    expect(await rest.del(`${path}/${third}`)).toMatchObject({ status: 204, body: undefined });
    expect((await rest.del(`${path}/${third}`)).status).toBe(404);
    expect((await rest.del(`${path}/nonsense`)).status).toBe(404);
    expect((await rest.del(`${path}?ids=nonsense`)).status).toBe(400);
    expect((await rest.del(path)).status).toBe(400);
    expect((await rest.get(path)).status).toBe(405);
  });
});
