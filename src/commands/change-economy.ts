import { Attribute, type AttributeRecord } from '../db/entities/attribute.ts';
import { Metric, type MetricRecord } from '../db/entities/metric.ts';
import { PointsSystem } from '../db/entities/points-system.ts';
import type { ProjectRecord } from '../db/entities/project.ts';
import { type Orm, transact } from '../db/orm.ts';
import { type Change, diff } from '../program/diff.ts';
import type { Economy, Named } from '../program/economy.ts';
import { economyOf } from '../program/economy-of.ts';
import { resolve } from '../program/resolve.ts';
import type { ProgramSnapshot } from '../rules/program.ts';
import { globalBoosts } from './boosts/boost-rows.ts';
import { type Author, lockProject, nextProgram, programInForce, readProject } from './next-program.ts';
import { type Stranded, strandedBy } from './stranded.ts';

type Em = Orm['em'];

export interface Plan {
  /** Number of the program that the plan starts from. */
  version: number;
  changes: readonly Change[];
  /** What the changes would put out of reach. */
  stranded: readonly Stranded[];
}

export type Applied =
  | ({ outcome: 'applied' } & Plan)
  | ({ outcome: 'strands' } & Plan)
  | { outcome: 'moved_on'; version: number };

/** The economy in force, and its number. */
export async function exportEconomy(orm: Orm, projectId: string): Promise<{ economy: Economy; version: number }> {
  const current = await currentEconomy(orm.em.fork(), projectId);
  return { economy: current.economy, version: current.project.programVersion };
}

/** What applying `economy` would change; nothing is written. */
export async function planEconomy(orm: Orm, projectId: string, economy: Economy): Promise<Plan> {
  const em = orm.em.fork();
  const current = await currentEconomy(em, projectId);
  return planFrom(em, current, economy);
}

/**
 * Makes `economy` the economy in force, in one transaction: the next program, what is declared, and the audit log. When
 * the program in force is no longer number `expectedVersion`, somebody else was first and nothing changes; likewise when
 * something would be stranded without `allowStranding`.
 */
export async function applyEconomy(
  orm: Orm,
  author: Author,
  economy: Economy,
  options: { expectedVersion?: number | undefined; allowStranding?: boolean } = {},
): Promise<Applied> {
  return transact(orm, (em) => applyEconomyIn(em, author, economy, options));
}

/** The same inside a transaction that is already open. */
export async function applyEconomyIn(
  em: Em,
  author: Author,
  economy: Economy,
  options: { expectedVersion?: number | undefined; allowStranding?: boolean } = {},
): Promise<Applied> {
  const current = await currentEconomy(em, author.projectId, true);
  const { project } = current;
  if (options.expectedVersion !== undefined && options.expectedVersion !== project.programVersion) {
    return { outcome: 'moved_on', version: project.programVersion };
  }
  const plan = await planFrom(em, current, economy);
  if (plan.stranded.length > 0 && !options.allowStranding) return { outcome: 'strands', ...plan };
  if (plan.changes.length > 0) await write(em, author, current, economy, plan.changes);
  return { outcome: 'applied', ...plan, version: project.programVersion };
}

interface Current {
  project: ProjectRecord;
  /** Archived ones included. */
  metrics: readonly MetricRecord[];
  attributes: readonly AttributeRecord[];
  snapshot: ProgramSnapshot;
  economy: Economy;
}

/** The economy in force and what stands behind it; `lock`: nobody else changes it until the transaction ends. */
export async function currentEconomy(em: Em, projectId: string, lock = false): Promise<Current> {
  const project = await (lock ? lockProject : readProject)(em, projectId);
  const order = { orderBy: { id: 'asc' } } as const;
  const metrics = await em.find(Metric, { project }, order);
  const attributes = await em.find(Attribute, { project }, order);
  const snapshot = await programInForce(em, project);
  const declared = {
    metrics: liveOnly(metrics).map(({ key, name, unitType, units }) => ({ key, name, unitType, units })),
    userAttributes: live(attributes.filter(({ kind }) => kind === 'user')),
    eventAttributes: live(attributes.filter(({ kind }) => kind === 'event')),
  };
  const economy = economyOf({ timeZone: snapshot.timeZone, keylessEvents: project.keylessEvents }, declared, snapshot);
  return { project, metrics, attributes, snapshot, economy };
}

function live(records: readonly (Named & Archivable)[]): Named[] {
  return liveOnly(records).map(({ key, name }) => ({ key, name }));
}

interface Archivable {
  archivedAt?: Date | null | undefined;
}

function liveOnly<R extends Archivable>(records: readonly R[]): R[] {
  return records.filter(({ archivedAt }) => !archivedAt);
}

async function planFrom(em: Em, current: Current, economy: Economy): Promise<Plan> {
  const changes = diff(current.economy, economy);
  const stranded = await strandedBy(em, current.project.id, changes);
  return { version: current.project.programVersion, changes, stranded };
}

async function write(
  em: Em,
  author: Author,
  current: Current,
  economy: Economy,
  changes: readonly Change[],
): Promise<void> {
  const { project } = current;
  const at = new Date(author.now);
  const metrics = declare(current.metrics, economy.metrics, at, (item) =>
    em.create(Metric, { ...item, project, createdAt: at }),
  );
  for (const kind of ['user', 'event'] as const) {
    const known = current.attributes.filter((attribute) => attribute.kind === kind);
    const wanted = kind === 'user' ? economy.userAttributes : economy.eventAttributes;
    declare(known, wanted, at, (item) => em.create(Attribute, { ...item, kind, project, createdAt: at }));
  }
  const systems = await em.find(PointsSystem, { project });
  for (const { key } of economy.systems) {
    if (!systems.some((system) => system.key === key))
      systems.push(em.create(PointsSystem, { key, project, createdAt: at }));
  }
  await em.flush();
  const ids = { metrics: idsByKey(metrics), systems: idsByKey(systems), boosts: await globalBoosts(em, project.id) };
  project.keylessEvents = economy.keylessEvents;
  await silence(em, current.snapshot, economy, ids.systems);
  await nextProgram(em, author, project, resolve(economy, ids, current.snapshot, author), changes);
}

/** Boosts of a points system that leaves the program are not announced any more, until it is back. */
async function silence(
  em: Em,
  before: ProgramSnapshot,
  after: Economy,
  systemIds: ReadonlyMap<string, string>,
): Promise<void> {
  const was = before.systems.map(({ key }) => key);
  const is = after.systems.map(({ key }) => key);
  const idsOf = (keys: readonly string[]) => JSON.stringify(keys.map((key) => systemIds.get(key)));
  const gone = was.filter((key) => !is.includes(key));
  const back = is.filter((key) => !was.includes(key));
  for (const table of ['user_boosts', 'global_boosts']) {
    const those = 'system_id = any(array(select jsonb_array_elements_text(?::jsonb)::bigint)) and archived_at is null';
    if (gone.length > 0) await em.execute(`update ${table} set due_at = null where ${those}`, [idsOf(gone)]);
    if (back.length === 0) continue;
    await em.execute(
      `update ${table} set due_at = case status when 'scheduled' then starts_at when 'active' then ends_at end where ${those}`,
      [idsOf(back)],
    );
  }
}

/** Makes, renames, archives and brings back what is declared; gives all that is there then. */
function declare<R extends Named & Archivable, I extends Named>(
  known: readonly R[],
  wanted: readonly I[],
  at: Date,
  make: (item: I) => R,
): R[] {
  const all = [...known];
  for (const record of known) {
    const item = wanted.find(({ key }) => key === record.key);
    if (item === undefined) record.archivedAt ??= at;
    else Object.assign(record, item, { archivedAt: null });
  }
  for (const item of wanted) if (!known.some(({ key }) => key === item.key)) all.push(make(item));
  return all;
}

function idsByKey(records: readonly { id: string; key: string }[]): Map<string, string> {
  return new Map(records.map(({ id, key }) => [key, id]));
}
