import { BoostService } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { type Boost, BoostStatus } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { boostShapes } from '../shapes/boost.ts';
import { boostsWith } from '../shapes/points.ts';

const PAGE_SIZE = 500;

export async function listUserBoosts({ call, path }: RestCall): Promise<Answer> {
  const ids: string[] = [];
  const asked = { userId: path.id as string, systemKey: path.key as string, pageSize: PAGE_SIZE };
  for (let pageToken = ''; ; ) {
    const page = await rpc(call, BoostService.method.listUserBoosts, { ...asked, pageToken });
    ids.push(...page.boosts.map(({ id }) => id));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  const shapes = await boostShapes(call, await boostsWith(call, ids));
  return { body: shapes.map((shape) => ({ ...shape, status: 'active' })) };
}

/** Boosts that are not for one user. */
export async function listGlobalBoosts({ call, path, query }: RestCall): Promise<Answer> {
  const found = await allBoosts(call, path.key as string, { globalOnly: true });
  const wanted = query.includeFinished === true ? found : found.filter(({ status }) => status !== BoostStatus.FINISHED);
  return { body: await boostShapes(call, wanted) };
}

/** The boosts of a points system in the order of their ids; `until`: as soon as there are so many. */
export async function allBoosts(
  call: Call,
  systemKey: string,
  { globalOnly = false, until = Number.POSITIVE_INFINITY }: { globalOnly?: boolean; until?: number },
): Promise<Boost[]> {
  const boosts: Boost[] = [];
  const asked = { systemKey, globalOnly, pageSize: PAGE_SIZE };
  for (let pageToken = ''; boosts.length < until; ) {
    const page = await rpc(call, BoostService.method.listBoosts, { ...asked, pageToken });
    boosts.push(...page.boosts);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  return boosts;
}
