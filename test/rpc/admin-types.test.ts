import { readFile } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TriggerInputSchema } from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import {
  type Achievement,
  type Issue,
  TimerMode,
  type Trigger,
  TriggerStatus,
} from '../../src/gen/guerdon/v1/types_pb.ts';
import { type Clients, clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';

// Triggers of every type, achievements and rewards, made and changed one by one.

let guerdon: TestGuerdon;
/** Clients of a project of its own, with a metric, a streak, and the points systems `xp` and, capped, `energy`. */
let mine: Clients;
beforeAll(async () => {
  guerdon = await startGuerdon();
  mine = await projectWith(`
metrics: [{ key: lessons, name: Lessons }]
userAttributes: [{ key: plan, name: Plan }]
streak: { frequency: daily }
systems:
  - { key: energy, name: Energy, maxPoints: 25 }
  - { key: xp, name: XP }`);
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

let projects = 0;
async function projectWith(file: string): Promise<Clients> {
  projects += 1;
  const { created } = await guerdon.admin.createProjects({ projects: [{ key: `p${projects}`, name: 'P' }] });
  const clients = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
  await clients.admin.applyEconomy({ file });
  return clients;
}

const brief = (issues: readonly Issue[]) => issues.map(({ index, field }) => [index, field]);
const every = (hours: number) => ({ seconds: BigInt(hours * 3_600), nanos: 0 });
type Type = NonNullable<MessageInitShape<typeof TriggerInputSchema>['type']>;

describe('triggers', () => {
  const get = async (key: string) => (await mine.admin.getTrigger({ systemKey: 'energy', key })).trigger as Trigger;
  const update = async (trigger: MessageInitShape<typeof TriggerInputSchema>, paths: string[] = []) => {
    const { updated, issues } = await mine.admin.updateTriggers({
      systemKey: 'energy',
      updates: [{ trigger, updateMask: { paths } }],
    });
    return { updated: updated[0], fields: issues.map(({ field }) => field) };
  };

  it('of every type are made item by item', async () => {
    await mine.admin.createAchievements({
      achievements: [{ key: 'badge', name: 'Badge', rule: { case: 'api', value: {} } }],
    });
    const types: Type[] = [
      { case: 'time', value: { every: every(3), runs: TimerMode.BELOW_CAP } },
      { case: 'streak', value: { length: 7 } },
      { case: 'achievement', value: { achievementKey: 'badge' } },
      { case: 'time', value: { runs: TimerMode.ALWAYS } },
      { case: 'time', value: { every: { seconds: 5_400n, nanos: 0 } } },
      { case: 'time', value: { every: { seconds: 3_600n, nanos: 1 } } },
      { case: 'time', value: { every: every(-3) } },
      { case: 'streak', value: { length: 0 } },
      { case: 'achievement', value: { achievementKey: 'nope' } },
      { case: 'time', value: { every: every(24) } },
    ];
    const { created, issues } = await mine.admin.createTriggers({
      systemKey: 'energy',
      triggers: types.map((type, index) => ({ key: `t${index}`, points: 1n, type })),
    });
    expect(created).toMatchObject([
      { key: 't0', type: { case: 'time', value: { every: { seconds: 10_800n }, runs: TimerMode.BELOW_CAP } } },
      { key: 't1', type: { case: 'streak', value: { length: 7 } } },
      { key: 't2', type: { case: 'achievement', value: { achievementKey: 'badge' } } },
      { key: 't9', type: { case: 'time', value: { every: { seconds: 86_400n }, runs: TimerMode.ALWAYS } } },
    ]);
    expect(brief(issues)).toEqual([
      [3, 'time.every'],
      [4, 'time.every'],
      [5, 'time.every'],
      [6, 'time.every'],
      [7, 'streak.length'],
      [8, 'achievement.achievement_key'],
    ]);
    const { system } = await mine.points.getPointsSystem({ systemKey: 'energy' });
    expect(system?.triggers.map(({ type }) => type.case)).toEqual(['time', 'streak', 'achievement', 'time']);
  });

  it('below the cap need a cap, and give', async () => {
    const time: Type = { case: 'time', value: { every: every(1), runs: TimerMode.BELOW_CAP } };
    const ask = (systemKey: string, points: bigint) =>
      mine.admin.createTriggers({ systemKey, triggers: [{ key: 'low', points, type: time }] });
    expect((await ask('xp', 1n)).issues).toMatchObject([
      { field: 'time.runs', message: 'time.runs: below_cap needs the points system to have maxPoints' },
    ]);
    expect(brief((await ask('energy', -1n)).issues)).toEqual([[0, 'time.runs']]);
    const cleared = { system: { key: 'energy' }, updateMask: { paths: ['max_points'] } };
    const { issues } = await mine.admin.updatePointsSystems({ updates: [cleared] });
    expect(issues).toMatchObject([{ message: expect.stringContaining('below_cap needs') }]);
  });

  it('change in the fields of their type that are named', async () => {
    const before = await get('t0');
    await update({ key: 't0', type: { case: 'time', value: { every: every(2) } } });
    expect(await get('t0')).toMatchObject({
      id: before.id,
      type: { value: { every: { seconds: 7_200n }, runs: TimerMode.BELOW_CAP } },
    });
    await update({ key: 't0' }, ['time.runs']);
    expect(await get('t0')).toMatchObject({ type: { value: { every: { seconds: 7_200n }, runs: TimerMode.ALWAYS } } });
    await update({ key: 't0', points: 3n, type: { case: 'time', value: { every: every(9) } } }, ['points']);
    expect(await get('t0')).toMatchObject({ points: 3n, type: { value: { every: { seconds: 7_200n } } } });
    expect((await update({ key: 't0' }, ['time'])).fields).toEqual(['trigger.time.every']);
    await update({ key: 't1', type: { case: 'streak', value: { length: 30 } } });
    expect(await get('t1')).toMatchObject({ type: { value: { length: 30 } } });
  });

  it('become of another type when they are given all that it asks for', async () => {
    const before = await get('t1');
    await update({ key: 't1', userAttributes: [{ key: 'plan', value: 'pro' }] });
    const lacking: Type[] = [
      { case: 'time', value: {} },
      { case: 'time', value: { runs: TimerMode.ALWAYS } },
      { case: 'metric', value: {} },
      { case: 'metric', value: { metricKey: 'lessons' } },
    ];
    const fields: string[][] = [];
    for (const type of lacking) fields.push((await update({ key: 't1', type })).fields);
    expect(fields).toEqual([
      ['trigger.time.every'],
      ['trigger.time.every'],
      ['trigger.metric.metric_key', 'trigger.metric.threshold'],
      ['trigger.metric.threshold'],
    ]);
    expect((await get('t1')).type.case).toBe('streak');
    const types: Type[] = [
      { case: 'time', value: { every: every(5) } },
      { case: 'metric', value: { metricKey: 'lessons', threshold: '2' } },
      { case: 'userCreation', value: {} },
      { case: 'achievement', value: { achievementKey: 'badge' } },
      { case: 'streak', value: { length: 2 } },
    ];
    for (const type of types) {
      const { updated } = await update({ key: 't1', type });
      expect(updated).toMatchObject({
        id: before.id,
        type,
        points: 1n,
        userAttributes: [{ key: 'plan', value: 'pro' }],
      });
    }
    const { file } = await mine.admin.exportEconomy({});
    expect((await mine.admin.planEconomy({ file })).changes).toEqual([]);
  });
});

describe('levels', () => {
  const rewards = (...items: [string, bigint][]) => items.map(([systemKey, points]) => ({ systemKey, points }));

  it('give rewards, each points system once', async () => {
    const level = (key: string, points: bigint, given: ReturnType<typeof rewards>) => ({
      key,
      name: key,
      points,
      rewards: given,
    });
    const { created, issues } = await mine.admin.createLevels({
      systemKey: 'xp',
      levels: [
        level('good', 100n, rewards(['xp', 1n], ['energy', 5n])),
        level('zero', 0n, rewards(['xp', 1n])),
        level('twice', 5n, rewards(['xp', 1n], ['xp', 2n])),
        level('none', 5n, rewards(['xp', 0n])),
        level('lost', 5n, rewards(['gold', 5n])),
        level('bare', 5n, []),
      ],
    });
    expect(created.map((made) => [made.key, made.rewards.map(({ systemKey, points }) => [systemKey, points])])).toEqual(
      [
        ['good', [['energy', 5n], ['xp', 1n]]], // biome-ignore format: one level a line
        ['bare', []],
      ],
    );
    expect(brief(issues)).toEqual([
      [1, 'rewards'],
      [2, 'rewards'],
      [3, 'rewards[0].points'],
      [4, 'rewards.gold'],
    ]);
    expect((await mine.points.listLevels({ systemKey: 'xp' })).levels.map((item) => item.rewards.length)).toEqual([
      0, 2,
    ]);
  });

  it('change and lose them', async () => {
    const change = async (level: object, paths: string[] = []) => {
      const updates = [{ level: { key: 'good', ...level }, updateMask: { paths } }];
      const { updated, issues } = await mine.admin.updateLevels({ systemKey: 'xp', updates });
      return { rewards: updated[0]?.rewards.map(({ points }) => points), issues: brief(issues) };
    };
    expect((await change({ rewards: rewards(['energy', 9n]) })).rewards).toEqual([9n]);
    expect((await change({ name: 'Good' })).rewards).toEqual([9n]);
    expect((await change({ rewards: rewards(['xp', 1n], ['xp', 1n]) })).issues).toEqual([[0, 'level.rewards']]);
    const { issues } = await mine.admin.archivePointsSystems({ keys: ['energy'] });
    expect(issues).toMatchObject([{ message: expect.stringContaining('no points system "energy"') }]);
    expect((await change({}, ['rewards'])).rewards).toEqual([]);
  });
});

describe('achievements', () => {
  const metric = (metricKey: string, total: string) => ({ case: 'metric', value: { metricKey, total } }) as const;

  it('are made item by item', async () => {
    const { created, issues } = await mine.admin.createAchievements({
      achievements: [
        { key: 'ten', name: 'Ten', description: 'lessons', rule: metric('lessons', '10.50') },
        { key: 'badge', name: 'Taken', rule: { case: 'api', value: {} } },
        { key: 'untold', name: 'Untold' },
        { key: 'lost', name: 'Lost', rule: metric('naps', '1') },
        { key: 'zero', name: 'Zero', rule: metric('lessons', '0') },
        { key: 'run', name: 'Run', status: TriggerStatus.INACTIVE, rule: { case: 'streak', value: { length: 7 } } },
        { key: 'nameless', rule: { case: 'api', value: {} } },
        {
          key: 'twice',
          name: 'Twice',
          userAttributes: ['pro', 'max'].map((value) => ({ key: 'plan', value })),
          rule: { case: 'api', value: {} },
        },
        { key: 'who', name: 'Who', userAttributes: [{ key: 'x', value: 'y' }], rule: { case: 'api', value: {} } },
      ],
    });
    expect(created).toMatchObject([
      {
        key: 'ten',
        name: 'Ten',
        description: 'lessons',
        status: TriggerStatus.ACTIVE,
        rule: { value: { metricKey: 'lessons', total: '10.5' } },
      },
      { key: 'run', status: TriggerStatus.INACTIVE, rule: { case: 'streak', value: { length: 7 } } },
    ]);
    expect(brief(issues)).toEqual([
      [1, 'key'],
      [2, 'rule'],
      [3, 'metric.metric_key'],
      [4, 'metric.total'],
      [6, 'name'],
      [7, 'user_attributes'],
      [8, 'user_attributes.x'],
    ]);
  });

  it('keep their id whatever changes, their type included', async () => {
    const change = async (achievement: object, paths: string[] = []) => {
      const updates = [{ achievement: { key: 'ten', ...achievement }, updateMask: { paths } }];
      const { updated, issues } = await mine.admin.updateAchievements({ updates });
      return { updated: updated[0] as Achievement, issues: brief(issues) };
    };
    const { updated: before } = await change({ name: 'Ten lessons' });
    expect(before).toMatchObject({ name: 'Ten lessons', description: 'lessons', rule: { value: { total: '10.5' } } });
    expect((await change({ rule: metric('lessons', '20') })).updated).toMatchObject({
      rule: { value: { total: '20' } },
    });
    expect((await change({ rule: { case: 'streak', value: { length: 3 } } })).updated).toMatchObject({
      id: before.id,
      rule: { case: 'streak', value: { length: 3 } },
    });
    expect((await change({}, ['metric'])).issues).toEqual([
      [0, 'achievement.metric.metric_key'],
      [0, 'achievement.metric.total'],
    ]);
    expect((await change({}, ['description', 'api'])).updated).toMatchObject({
      id: before.id,
      description: '',
      rule: { case: 'api' },
    });
    expect((await change({ key: 'nope', name: 'N' })).issues).toEqual([[0, 'achievement.key']]);
  });

  it('are archived unless a trigger is on them', async () => {
    const { archived, issues } = await mine.admin.archiveAchievements({ keys: ['ten', 'badge', 'nope'] });
    expect(archived).toEqual(['ten']);
    expect(issues).toMatchObject([
      { index: 1, message: expect.stringContaining('systems.energy.triggers.t2.achievement') },
      { index: 2, field: 'key' },
    ]);
    await mine.admin.archiveTriggers({ systemKey: 'energy', keys: ['t2'] });
    expect((await mine.admin.archiveAchievements({ keys: ['badge'] })).archived).toEqual(['badge']);
  });

  it('are in the audit log', async () => {
    const { entries } = await mine.admin.listAuditEntries({ kind: 'achievement', key: 'ten', pageSize: 500 });
    expect(entries.map(({ change }) => change?.action).reverse()).toEqual([
      'create',
      'update',
      'update',
      'update',
      'update',
      'archive',
    ]);
  });
});

describe('the streak of a project', () => {
  it('is changed by a file, and stays while something counts on it', async () => {
    const { file } = await mine.admin.exportEconomy({});
    const plan = (next: string) => mine.admin.planEconomy({ file: next });
    expect((await plan(file.replace('daily', 'weekly'))).changes).toMatchObject([
      { action: 'update', kind: 'streak', key: '', fields: [{ field: 'frequency', before: 'daily', after: 'weekly' }] },
    ]);
    await expect(plan(file.replace(/streak:\n {2}frequency: daily\n/, ''))).rejects.toThrow(
      'needs the project to count',
    );
  });
});

describe('the example of an economy', () => {
  const example = new URL('../../docs/examples/economy.yaml', import.meta.url);

  it('applies cleanly, and what is in force is what it says', async () => {
    const file = await readFile(example, 'utf8');
    const project = await projectWith(file);
    expect((await project.admin.planEconomy({ file })).changes).toEqual([]);
    const { points } = await project.events.sendEvent({
      metricKey: 'lessons',
      user: { id: 'ada' },
      value: '1',
      attributes: { lesson_id: 'a' },
    });
    expect(points.xp?.total).toBe(30n);
    expect(points.energy?.total).toBe(25n);
  });
});

it('a program begins an era when what the clock gives changes', async () => {
  const project = await projectWith('{}');
  const apply = (trigger: string, name = 'E') =>
    project.admin.applyEconomy({
      file: `systems: [{ key: e, name: ${name}, maxPoints: 9, triggers: [${trigger}] }]`,
    });
  const tick = '{ key: t, type: time, every: 1h, points: 1 }';
  await apply('');
  await apply(tick);
  await apply(tick, 'Energy');
  await apply(tick.replace('1h', '2h'), 'Energy');
  await apply('{ key: u, type: user_creation, points: 1 }');
  const { rows } = await guerdon.database.pool.query(
    `select s.version, s.era from programs s join projects p on p.id = s.project_id where p.key = $1 order by s.version`,
    [`p${projects}`],
  );
  // The first file is the empty project as it stands, so it makes no program.
  expect(rows.map(({ version, era }) => [version, era])).toEqual([
    [1, 0],
    [2, 2],
    [3, 2],
    [4, 4],
    [5, 5],
  ]);
});
