import type { Queryable } from '../db/pool.ts';
import type { IndexedEra, Programs } from '../db/programs.ts';
import type { UserBalance } from '../ledger/balance.ts';
import { findUserBoosts } from '../ledger/boosts.ts';
import { standingOf } from '../ledger/clocks.ts';
import { EMPTY_ACCOUNT } from '../rules/account.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { type Outlook, outlook, type Settling, settle } from '../rules/settlement.ts';
import type { Account, Instant } from '../rules/types.ts';
import { asEra, timedSystems, timedUser } from './settle-user.ts';

export interface PointsNow extends Outlook {
  /** With all that is due; its version is that of the last entry there is. */
  account: Account;
}

/**
 * A user's account in a points system as it stands at an instant, with what is due by the clock and what levels give for it.
 * Writes nothing.
 */
export async function pointsNow(
  db: Queryable,
  programs: Programs,
  user: { projectId: string; externalId: string; systemId: string; balance: UserBalance },
  { index, now }: { index: ProgramIndex; now: Instant },
): Promise<PointsNow> {
  const { balance: own, projectId, externalId, systemId } = user;
  const nothingDue = { account: own, nextAt: null, fullAt: null };
  if (!(await programs.isTimed(db, projectId, index))) return nothingDue;
  // Where levels give rewards, ticks in other systems may have earned some in this one.
  const standing = index.rewards
    ? await standingOf(db, own.userId, [...index.systemById.keys()])
    : alone(systemId, own);
  const settled = [...standing.clocks.values()].map(({ settledAt }) => settledAt);
  const since = settled.length === 0 ? own.created : Math.min(...settled);
  const eras = await programs.eras(db, projectId, index, since);
  if (eras === undefined) return nothingDue;
  const boosts = (await findUserBoosts(db, [{ projectId, externalId }], since)).get(`${projectId} ${externalId}`) ?? [];
  const timed = timedUser(own, own.created, boosts, index);
  const systemIds = timedSystems(eras, index).filter((id) => index.rewards || id === systemId);
  const { settlement, clocks } = settle(systemIds, eras.map(asEra), timed, standing, now);
  const before = standing.accounts.get(systemId) ?? EMPTY_ACCOUNT;
  const account = settlement?.systems.find((change) => change.systemId === systemId)?.after ?? before;
  const clock = clocks.get(systemId) ?? { settledAt: now, running: new Map() };
  return {
    account: { ...account, version: before.version },
    ...outlook(systemId, asEra(eras.at(-1) as IndexedEra), timed, { account, clock }, { full: true }),
  };
}

function alone(systemId: string, { clock, ...account }: UserBalance): Settling {
  const clocks = new Map(clock === undefined ? [] : [[systemId, clock] as const]);
  return { accounts: new Map([[systemId, account]]), clocks, rewarded: new Set() };
}
