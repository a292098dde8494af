import { GuerdonError } from '../../errors.ts';
import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram, systemOf } from '../../rpc/lookup.ts';
import { checkItems } from '../check.ts';
import { isUuid } from '../ids.ts';
import { unreadable } from '../json.ts';
import { type AdminIssue, type Answer, type RestCall, rpc } from '../route.ts';
import { boostsWith } from '../shapes/points.ts';
import { makeBoosts, type NewBoost } from './boosts.ts';
import { createdAnswer, idsIn } from './bulk.ts';

// The calls that older clients make for boosts of single users. Their issues have other names in each generation of
// clients, so all of them are given.

const IDS_MAX = 100;

interface UserBoosts {
  systemKey: string;
  boosts: unknown[];
}

export async function createUserBoosts({ call, body, plain }: RestCall<UserBoosts>): Promise<Answer> {
  const boosts = (plain as UserBoosts).boosts;
  const { key } = systemOf(await currentProgram(call), body.systemKey);
  const { created, issues } = await makeBoosts(call, key, checkItems<NewBoost>('NewUserBoost', boosts, body.boosts));
  const users = boosts as { userId?: unknown }[];
  return createdAnswer(
    created,
    issues.map((issue) => ({ ...oldNames(issue), ...userOf(users[issue.index ?? -1]) })),
  );
}

function userOf(item: { userId?: unknown } | undefined) {
  return { userId: typeof item?.userId === 'string' ? item.userId : '' };
}

function oldNames(issue: AdminIssue) {
  return { ...issue, level: issue.severity, reason: issue.message };
}

export async function deleteUserBoosts({ call, query }: RestCall): Promise<Answer> {
  const ids = idsOfQuery(query as { ids?: string[] });
  const known = await live(call, ids);
  const missing = ids.filter((id) => !known.has(id.toLowerCase()));
  const deleted = known.size === 0 ? [] : await archive(call, [...known]);
  const issues = missing.map((id) => ({
    ...oldNames({ severity: 'warning', message: 'Points boost not found or already archived', id }),
    boostId: id,
  }));
  return { body: { archivedCount: deleted.length, deleted: deleted.map((id) => ({ id })), issues } };
}

/** Here the contract answers 400 to what are no ids. */
function idsOfQuery(query: { ids?: string[] }): string[] {
  if (!query.ids?.every(isUuid)) throw unreadable('ids: must be 1 to 100 ids, each a valid UUID');
  return idsIn(query, IDS_MAX);
}

export async function deleteUserBoost({ call, path }: RestCall): Promise<Answer> {
  const known = isUuid(path.id as string) ? await live(call, [path.id as string]) : new Set<string>();
  if (known.size === 0) throw new GuerdonError('NOT_FOUND', 'BOOST_UNKNOWN', 'Points boost not found by ID');
  await archive(call, [...known]);
  return {};
}

/** Those of the ids that some boost of the project has that is not archived. */
async function live(call: Call, ids: readonly string[]): Promise<Set<string>> {
  const boosts = await boostsWith(call, ids);
  return new Set(boosts.filter(({ archivedAt }) => archivedAt === undefined).map(({ id }) => id));
}

async function archive(call: Call, ids: string[]): Promise<string[]> {
  return (await rpc(call, BoostService.method.deleteBoosts, { ids })).deleted;
}
