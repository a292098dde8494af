import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ApiKeyKind,
  AttributeType,
  type AuditEntry,
  KeylessEvents,
} from '../../src/gen/guerdon/v1/admin_service_pb.ts';
import { type Issue, LevelBasis, OnFloor, Severity, TriggerStatus } from '../../src/gen/guerdon/v1/types_pb.ts';
import { type Clients, clientsOf, startGuerdon, type TestGuerdon } from '../support/guerdon.ts';
import { expectSound } from '../support/ledger.ts';
import { until } from '../support/wait.ts';

let guerdon: TestGuerdon;
/** Clients of a project of its own, empty at first. */
let mine: Clients;
beforeAll(async () => {
  guerdon = await startGuerdon();
  const made = await guerdon.admin.createProjects({ projects: [{ key: 'mine', name: 'Mine' }] });
  mine = clientsOf(guerdon.grpcPort, made.created[0]?.adminKey);
});
afterAll(async () => {
  await expectSound(guerdon.database);
  await guerdon.close();
});

const brief = (issues: readonly Issue[]) => issues.map(({ index, field }) => [index, field]);
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );
const changes = async (kind: string) => {
  const { entries } = await mine.admin.listAuditEntries({ kind, pageSize: 500 });
  return entries.map(({ change }: AuditEntry) => [change?.action, change?.key]).reverse();
};

describe('metrics and attributes', () => {
  it('are made item by item: good ones whatever the bad ones do', async () => {
    const { created, issues } = await mine.admin.createMetrics({
      metrics: [
        { key: 'steps', name: 'Steps' },
        { key: 'a b', name: 'Bad key' },
        { key: 'steps', name: 'Twice' },
        { key: 'nameless' },
        { key: 'miles', name: 'Miles' },
        { key: '__proto__', name: 'P' },
      ],
    });
    expect(created.map(({ key }) => key)).toEqual(['steps', 'miles']);
    expect(brief(issues)).toEqual([
      [1, 'key'],
      [2, 'key'],
      [3, 'name'],
      [5, 'key'],
    ]);
    expect(issues.every(({ severity }) => severity === Severity.ERROR)).toBe(true);
    expect((await mine.admin.listMetrics({})).metrics.map(({ key }) => key)).toEqual(['miles', 'steps']);
    expect(await changes('metric')).toEqual([
      ['create', 'steps'],
      ['create', 'miles'],
    ]);
  });

  it('of one type may have the key of the other', async () => {
    const { created } = await mine.admin.createAttributes({
      attributes: [
        { type: AttributeType.USER, key: 'plan', name: 'Plan' },
        { type: AttributeType.EVENT, key: 'plan', name: 'Plan' },
      ],
    });
    expect(created.map(({ type }) => type)).toEqual([AttributeType.USER, AttributeType.EVENT]);
    const renamed = { type: AttributeType.EVENT, key: 'plan', name: 'Plan of the event' };
    await mine.admin.updateAttributes({ updates: [{ attribute: renamed }] });
    const get = (type: AttributeType) => mine.admin.getAttribute({ type, key: 'plan' });
    expect((await get(AttributeType.USER)).attribute?.name).toBe('Plan');
    expect((await get(AttributeType.EVENT)).attribute?.name).toBe('Plan of the event');
  });

  it('in one call make one program, and a call that changes nothing makes none', async () => {
    const version = async () => (await mine.admin.getProject({})).project?.programVersion;
    const before = (await version()) as bigint;
    const names = ['One', 'Two'].map((name) => ({ metric: { key: name === 'One' ? 'steps' : 'miles', name } }));
    await mine.admin.updateMetrics({ updates: names });
    expect(await version()).toBe(before + 1n);
    await mine.admin.updateMetrics({ updates: names });
    expect(await version()).toBe(before + 1n);
  });

  it('that are not there cannot be read, changed or archived', async () => {
    expect(await codeOf(mine.admin.getMetric({ key: 'naps' }))).toBe(Code.NotFound);
    const { issues } = await mine.admin.updateMetrics({ updates: [{ metric: { key: 'naps', name: 'N' } }, {}] });
    expect(brief(issues)).toEqual([
      [0, 'metric.key'],
      [1, 'metric'],
    ]);
    expect(brief((await mine.admin.archiveMetrics({ keys: ['naps'] })).issues)).toEqual([[0, 'key']]);
  });
});

describe('points systems with triggers and levels', () => {
  it('are what was asked for, and events are decided by them at once', async () => {
    const { created, issues } = await mine.admin.createPointsSystems({
      systems: [
        { key: 'gold', name: 'Gold', maxPoints: 100n, boostCeiling: '3.50', levelBasis: LevelBasis.EARNED },
        { key: 'mud', name: 'Mud', minPoints: 5n, maxPoints: 2n },
        { key: 'debt', name: 'Debt', noFloor: true },
        { key: 'both', name: 'Both', noFloor: true, minPoints: 1n },
      ],
    });
    expect(created).toMatchObject([
      { key: 'gold', maxPoints: 100n, minPoints: 0n, boostCeiling: '3.5', levelBasis: LevelBasis.EARNED },
      { key: 'debt', boostCeiling: '' },
    ]);
    expect(created[1]?.minPoints).toBeUndefined();
    expect(brief(issues)).toEqual([
      [1, 'min_points'],
      [3, 'min_points'],
    ]);
    const steps = { case: 'metric', value: { metricKey: 'steps', threshold: '1.50' } } as const;
    const triggers = await mine.admin.createTriggers({
      systemKey: 'gold',
      triggers: [
        { key: 'walk', points: 7n, type: steps },
        { key: 'first', points: 1n, position: 1, type: steps, userAttributes: [{ key: 'plan', value: 'pro' }] },
        { key: 'lost', points: 1n, type: { case: 'metric', value: { metricKey: 'naps', threshold: '0' } } },
        { key: 'nothing' },
      ],
    });
    expect(triggers.created.map(({ key }) => key)).toEqual(['walk', 'first']);
    expect(new Set(triggers.issues.map(({ index }) => index))).toEqual(new Set([2, 3]));
    const all = (await mine.admin.listTriggers({ systemKey: 'gold' })).triggers;
    expect(all.map(({ key, position }) => [key, position])).toEqual([
      ['first', 1],
      ['walk', 2],
    ]);
    await mine.admin.createLevels({ systemKey: 'gold', levels: [{ key: 'rich', name: 'Rich', points: 14n }] });
    const event = { metricKey: 'steps', user: { id: 'ada' }, value: '3' };
    expect((await mine.events.sendEvent(event)).points.gold).toMatchObject({ added: 14n, level: { key: 'rich' } });
  });

  it('change in the fields that are named, and no others', async () => {
    const walk = async () => (await mine.admin.getTrigger({ systemKey: 'gold', key: 'walk' })).trigger;
    const before = await walk();
    const threshold = { case: 'metric', value: { threshold: '3' } } as const;
    await mine.admin.updateTriggers({ systemKey: 'gold', updates: [{ trigger: { key: 'walk', type: threshold } }] });
    expect(await walk()).toMatchObject({
      id: before?.id,
      points: 7n,
      type: { value: { metricKey: 'steps', threshold: '3' } },
    });
    const { updated } = await mine.admin.updateTriggers({
      systemKey: 'gold',
      updates: [
        { trigger: { key: 'walk', status: TriggerStatus.INACTIVE, onFloor: OnFloor.CLAMP, position: 1 } },
        { trigger: { key: 'first' }, updateMask: { paths: ['user_attributes'] } },
      ],
    });
    expect(updated.map(({ key, status, userAttributes }) => [key, status, userAttributes])).toEqual([
      ['walk', TriggerStatus.INACTIVE, []],
      ['first', TriggerStatus.ACTIVE, []],
    ]);
    const masked = await mine.admin.updatePointsSystems({
      updates: [
        { system: { key: 'gold', name: 'Au' }, updateMask: { paths: ['max_points', 'min_points'] } },
        { system: { key: 'gold' }, updateMask: { paths: ['colour'] } },
      ],
    });
    expect(masked.updated).toMatchObject([{ key: 'gold', name: 'Gold', boostCeiling: '3.5' }]);
    expect([masked.updated[0]?.maxPoints, masked.updated[0]?.minPoints]).toEqual([undefined, undefined]);
    expect(brief(masked.issues)).toEqual([[1, 'update_mask']]);
  });

  it('are archived unless something depends on them or users have some, and come back by their keys', async () => {
    const inUse = await mine.admin.archiveMetrics({ keys: ['steps', 'miles'] });
    expect(inUse.archived).toEqual(['miles']);
    expect(inUse.issues[0]).toMatchObject({ index: 0, message: expect.stringContaining('systems.gold.triggers') });
    const held = await mine.admin.archivePointsSystems({ keys: ['gold', 'debt'] });
    expect(held.archived).toEqual(['debt']);
    expect(held.issues).toMatchObject([{ index: 0, message: expect.stringContaining('1 users hold 14 points') }]);
    const forced = await mine.admin.archivePointsSystems({ keys: ['gold'], allowStranding: true });
    expect(forced.archived).toEqual(['gold']);
    expect(await codeOf(mine.admin.listTriggers({ systemKey: 'gold' }))).toBe(Code.NotFound);
    await mine.admin.createPointsSystems({ systems: [{ key: 'gold', name: 'Gold again' }] });
    expect((await mine.points.getUserPoints({ userId: 'ada', systemKey: 'gold' })).total).toBe(14n);
  });

  it('levels change and go', async () => {
    const levels = [1n, 2n].map((points) => ({ key: `l${points}`, name: `L${points}`, points }));
    await mine.admin.createLevels({ systemKey: 'gold', levels });
    const update = { level: { key: 'l2', points: 20n } };
    const { updated } = await mine.admin.updateLevels({ systemKey: 'gold', updates: [update] });
    expect(updated).toMatchObject([{ key: 'l2', name: 'L2', points: 20n }]);
    expect((await mine.admin.archiveLevels({ systemKey: 'gold', keys: ['l1', 'l9'] })).archived).toEqual(['l1']);
    expect((await mine.points.listLevels({ systemKey: 'gold' })).levels.map(({ key }) => key)).toEqual(['l2']);
    expect(await codeOf(mine.admin.getLevel({ systemKey: 'gold', key: 'l1' }))).toBe(Code.NotFound);
    expect(await codeOf(mine.admin.createLevels({ systemKey: 'nope', levels }))).toBe(Code.NotFound);
  });
});

describe('the economy as a whole', () => {
  it('is exported, planned and applied over the API too', async () => {
    const { file, programVersion } = await mine.admin.exportEconomy({});
    expect((await mine.admin.planEconomy({ file })).changes).toEqual([]);
    const next = `${file}\n`.replace('Gold again', 'Aurum');
    const plan = await mine.admin.planEconomy({ file: next });
    expect(plan.changes).toMatchObject([
      { kind: 'points_system', key: 'gold', fields: [{ field: 'name', before: 'Gold again', after: 'Aurum' }] },
    ]);
    const applied = await mine.admin.applyEconomy({ file: next, expectedProgramVersion: programVersion });
    expect(applied.programVersion).toBe(programVersion + 1n);
    const late = mine.admin.applyEconomy({ file, expectedProgramVersion: programVersion });
    expect(await codeOf(late)).toBe(Code.Aborted);
    expect(await codeOf(mine.admin.applyEconomy({ file: 'metrics: []' }))).toBe(Code.FailedPrecondition);
    expect((await mine.admin.planEconomy({ file: '{}' })).changes).not.toEqual([]);
    expect(await codeOf(mine.admin.planEconomy({ file: 'metrics: [{ key: a b }]' }))).toBe(Code.InvalidArgument);
  });
});

describe('projects', () => {
  it('are made with a key of their own, changed, archived and brought back', async () => {
    const { admin } = guerdon;
    const { created, issues } = await admin.createProjects({
      projects: [
        { key: 'staging', name: 'Staging', timeZone: 'Asia/Tokyo', keylessEvents: KeylessEvents.REFUSE },
        { key: 'demo', name: 'Taken' },
        { key: 'mars', name: 'Mars', timeZone: 'Mars/Olympus' },
        { key: 'nameless' },
      ],
    });
    expect(brief(issues)).toEqual([
      [1, 'key'],
      [2, 'time_zone'],
      [3, 'name'],
    ]);
    expect(created).toMatchObject([{ project: { key: 'staging', timeZone: 'Asia/Tokyo', programVersion: 0n } }]);
    const staging = clientsOf(guerdon.grpcPort, created[0]?.adminKey);
    const patch = { key: 'staging', name: 'Stage', timeZone: 'UTC', keylessEvents: KeylessEvents.MARK };
    const { updated } = await admin.updateProjects({ updates: [{ project: patch }, { project: { key: 'nope' } }] });
    expect(updated).toMatchObject([{ name: 'Stage', timeZone: 'UTC', keylessEvents: KeylessEvents.MARK }]);
    expect((await staging.admin.getProject({})).project).toMatchObject({ name: 'Stage', programVersion: 1n });

    const archived = await admin.archiveProjects({ keys: ['staging', 'demo', 'nope'] });
    expect(archived.archived).toEqual(['staging']);
    expect(brief(archived.issues)).toEqual([
      [1, ''],
      [2, ''],
    ]);
    await until(async () => (await codeOf(staging.admin.getProject({}))) === Code.Unauthenticated, {
      what: 'the key to be refused',
    });
    const keys = async (includeArchived: boolean) =>
      (await admin.listProjects({ includeArchived })).projects.map(({ key }) => key);
    expect(await keys(false)).not.toContain('staging');
    expect(await keys(true)).toContain('staging');
    await admin.updateProjects({ updates: [{ project: { key: 'staging' }, restore: true }] });
    await until(async () => (await codeOf(staging.admin.getProject({}))) === undefined, {
      what: 'the key to be taken',
    });
  });
});

describe('API keys', () => {
  it('are shown whole once, renamed and archived', async () => {
    const { created, issues } = await mine.admin.createApiKeys({
      keys: [
        { kind: ApiKeyKind.ADMIN, name: 'CI' },
        { kind: ApiKeyKind.OWNER, name: 'too much' },
        { kind: ApiKeyKind.APPLICATION, name: 'of nobody' },
        { kind: ApiKeyKind.ADMIN, name: 'of somebody', userId: 'ada' },
        { kind: ApiKeyKind.UNSPECIFIED, name: 'of no kind' },
      ],
    });
    expect(brief(issues)).toEqual([
      [1, 'kind'],
      [2, 'user_id'],
      [3, 'user_id'],
      [4, 'kind'],
    ]);
    const { key = '', apiKey } = created[0] ?? {};
    const prefix = apiKey?.prefix ?? '';
    const ci = clientsOf(guerdon.grpcPort, key);
    expect((await ci.admin.getProject({})).project?.key).toBe('mine');
    const { rows } = await guerdon.database.pool.query('select to_jsonb(k)::text as row from api_keys k');
    expect(rows.map(({ row }) => row).join()).not.toContain(key.split('.')[1]);

    await mine.admin.updateApiKeys({ updates: [{ prefix, name: 'Build' }] });
    expect((await mine.admin.getApiKey({ prefix })).apiKey?.name).toBe('Build');
    expect((await ci.admin.archiveApiKeys({ prefixes: [prefix] })).issues).toMatchObject([
      { severity: Severity.ERROR, message: expect.stringContaining('of this call') },
    ]);
    expect((await mine.admin.archiveApiKeys({ prefixes: [prefix] })).archived).toEqual([prefix]);
    expect((await mine.admin.archiveApiKeys({ prefixes: [prefix] })).issues).toMatchObject([
      { severity: Severity.WARNING },
    ]);
    await until(async () => (await codeOf(ci.admin.getProject({}))) === Code.Unauthenticated, {
      what: 'the key to be refused',
    });
    expect((await changes('api_key')).filter(([, changed]) => changed === prefix)).toEqual([
      ['create', prefix],
      ['update', prefix],
      ['archive', prefix],
    ]);
  });

  it('of another project are made by an owner', async () => {
    const keys = [{ kind: ApiKeyKind.ADMIN, name: 'lost and found' }];
    const { created } = await guerdon.admin.createApiKeys({ keys, projectKey: 'mine' });
    const found = clientsOf(guerdon.grpcPort, created[0]?.key);
    expect((await found.admin.getProject({})).project?.key).toBe('mine');
    expect(await codeOf(guerdon.admin.createApiKeys({ keys, projectKey: 'nope' }))).toBe(Code.NotFound);
  });
});

it('the audit log says who changed what, when, from what to what, and in which program', async () => {
  await mine.admin.createMetrics({ metrics: [{ key: 'swims', name: 'Swims' }] });
  await mine.admin.updateMetrics({ updates: [{ metric: { key: 'swims', name: 'Laps' } }] });
  const { entries } = await mine.admin.listAuditEntries({ kind: 'metric', key: 'swims' });
  expect(
    entries.map(({ change, actor }) => [actor.startsWith('key:gk_'), change?.action, change?.fields]),
  ).toMatchObject([
    [true, 'update', [{ field: 'name', before: 'Swims', after: 'Laps' }]],
    [
      true,
      'create',
      [
        { field: 'name', after: 'Swims' },
        { field: 'unitType', after: 'number' },
        { field: 'units', after: '' },
      ],
    ],
  ]);
  const { project } = await mine.admin.getProject({});
  expect(entries[0]?.programVersion).toBe(project?.programVersion);
  expect(Number(entries[0]?.at?.seconds)).toBeCloseTo(Date.now() / 1000, -2);
});

it('many editors at once lose no change', async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `m${index}`);
  await Promise.all(keys.map((key) => mine.admin.createMetrics({ metrics: [{ key, name: key }] })));
  const { metrics } = await mine.admin.listMetrics({ pageSize: 500 });
  expect(metrics.map(({ key }) => key)).toEqual(expect.arrayContaining(keys));
});
