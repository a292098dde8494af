import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProjectCatalog } from '../../db/catalog.ts';
import { GuerdonError } from '../../errors.ts';
import { type BoostInputSchema, BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import type { Boost } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { allBoosts } from '../app/boosts.ts';
import { isUuid } from '../ids.ts';
import { type AdminIssue, type Answer, type Items, type RestCall, rpc } from '../route.ts';
import { adminBoostShapes, ROUNDINGS } from '../shapes/boost.ts';
import { type FilterShape, filtersOf } from '../shapes/filters.ts';
import { boostsWith } from '../shapes/points.ts';
import { createdAnswer, found, foundIds, issuesOf, pageOf, updatedAnswer } from './bulk.ts';
import { systemIn } from './systems.ts';

export interface NewBoost {
  userId?: string | null;
  name: string;
  start: string;
  end?: string | null;
  /** A decimal. */
  multiplier: string;
  rounding?: string;
  userAttributes?: FilterShape[] | null;
}
type ChangedBoost = Partial<Omit<NewBoost, 'userId'>> & { id: string };

export async function listBoosts({ call, path, query }: RestCall): Promise<Answer> {
  const { key } = await systemIn(call, path);
  const { limit = 10, skip = 0 } = query as { limit?: number; skip?: number };
  const boosts = await allBoosts(call, key, { until: skip + limit });
  return { body: await adminBoostShapes(call, pageOf(boosts, { limit, skip })) };
}

export async function getBoost({ call, path }: RestCall): Promise<Answer> {
  const { key } = await systemIn(call, path);
  const [boost] = await boostsIn(call, key, [path.id as string]);
  if (boost === undefined) throw new GuerdonError('NOT_FOUND', 'BOOST_UNKNOWN', NOT_FOUND);
  return { body: (await adminBoostShapes(call, [boost]))[0] };
}

export async function createBoosts({ call, path, body }: RestCall<Items<NewBoost>>): Promise<Answer> {
  const { key } = await systemIn(call, path);
  const { created, issues } = await makeBoosts(call, key, body);
  return createdAnswer(created, issues);
}

/** Makes what is right of the boosts; the issues tell of the rest. */
export async function makeBoosts(call: Call, systemKey: string, { items, issues }: Items<NewBoost>) {
  const catalog = await call.api.context.catalog.fresh(call.projectId);
  const ready = items.flatMap(({ index, value }) => {
    const { boost, problems } = boostInput(catalog, value);
    issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index })));
    return problems.length > 0 ? [] : [{ index, value: boost }];
  });
  if (ready.length === 0) return { created: [], issues };
  const made = await rpc(call, BoostService.method.createBoosts, {
    systemKey,
    boosts: ready.map(({ value }) => value),
  });
  const told = issuesOf(
    made.issues,
    ready.map(({ index }) => ({ index, value: {} })),
  );
  return {
    created: await adminBoostShapes(call, made.created),
    issues: [
      ...issues,
      ...told.map((issue) => (/^userId there is no user/.test(issue.message) ? NO_USER(issue) : issue)),
    ],
  };
}

/** As the contract's own clients know it. */
const NO_USER = (issue: AdminIssue): AdminIssue => ({ ...issue, message: 'User does not exist' });
const NOT_FOUND = 'Points boost not found by ID';

export async function updateBoosts({ call, path, body }: RestCall<Items<ChangedBoost>>): Promise<Answer> {
  const { key } = await systemIn(call, path);
  const catalog = await call.api.context.catalog.fresh(call.projectId);
  const known = await boostsIn(
    call,
    key,
    body.items.map(({ value }) => value.id),
  );
  const items = found(body, (id) => known.find((boost) => boost.id === id), 'Points boost');
  const ready = items.flatMap(({ index, value, found: { id } }) => {
    const { boost, problems } = boostInput(catalog, value);
    body.issues.push(...problems.map((message): AdminIssue => ({ severity: 'error', message, index, id: value.id })));
    const paths = Object.keys(PATHS).filter((field) => value[field as keyof ChangedBoost] !== undefined);
    // A boost of which nothing is to change keeps its name.
    const named = paths.length > 0 ? boost : { name: known.find((item) => item.id === id)?.name ?? '' };
    const updateMask = { paths: paths.length > 0 ? paths.map((field) => PATHS[field] as string) : ['name'] };
    return problems.length > 0 ? [] : [{ index, value: { id: value.id, boost: { ...named, id }, updateMask } }];
  });
  if (ready.length === 0) return updatedAnswer([], body.issues);
  const updates = ready.map(({ value: { boost, updateMask } }) => ({ boost, updateMask }));
  const done = await rpc(call, BoostService.method.updateBoosts, { updates });
  const issues = [...body.issues, ...issuesOf(done.issues, ready, 'boost')];
  return updatedAnswer(await adminBoostShapes(call, done.updated), issues);
}

export async function deleteBoosts({ call, path, query }: RestCall): Promise<Answer> {
  const { key } = await systemIn(call, path);
  const asked = query as { ids?: string[] };
  const known = await boostsIn(call, key, asked.ids ?? []);
  const { ids, issues } = foundIds(asked, (id) => known.find((boost) => boost.id === id), 'Points boost');
  if (ids.length === 0) return { body: { deleted: [], issues } };
  const done = await rpc(call, BoostService.method.deleteBoosts, { ids: ids.map(({ id }) => id) });
  const items = ids.map((value, index) => ({ index, value }));
  return {
    body: { deleted: done.deleted.map((id) => ({ id })), issues: [...issues, ...issuesOf(done.issues, items)] },
  };
}

/** Boosts of a points system by their ids; archived ones are left out, as what is no id. */
async function boostsIn(call: Call, systemKey: string, ids: readonly string[]): Promise<Boost[]> {
  const boosts = await boostsWith(call, ids.filter(isUuid));
  return boosts.filter((boost) => boost.systemKey === systemKey && boost.archivedAt === undefined);
}

const PATHS: Readonly<Record<string, string>> = {
  name: 'name',
  start: 'start',
  end: 'end',
  multiplier: 'multiplier',
  rounding: 'rounding',
  userAttributes: 'user_attributes',
};

/** A boost as the core takes one, and what is wrong with it; what is absent, or null, is left open. */
function boostInput(catalog: ProjectCatalog, asked: Partial<NewBoost>) {
  const { userId, name, start, end, multiplier, rounding, userAttributes } = asked;
  const { filters, unknown } = filtersOf(catalog.attributes, 'user', userAttributes ?? []);
  const boost: MessageInitShape<typeof BoostInputSchema> = {
    ...(userId != null && { userId }),
    ...(name !== undefined && { name }),
    ...(start !== undefined && { start }),
    ...(end != null && { end }),
    ...(multiplier !== undefined && { multiplier }),
    ...(rounding !== undefined && { rounding: ROUNDINGS[rounding] ?? 0 }),
    userAttributes: filters,
  };
  return { boost, problems: unknown.map((id) => `userAttributes: there is no user attribute ${id}`) };
}
