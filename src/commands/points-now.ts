import type { Queryable } from '../db/pool.ts';
import type { IndexedEra, Programs } from '../db/programs.ts';
import type { UserBalance } from '../ledger/balance.ts';
import { findUserBoosts } from '../ledger/boosts.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { firstClock, type Outlook, outlook } from '../rules/settlement.ts';
import { tick } from '../rules/ticks.ts';
import type { Account, Instant } from '../rules/types.ts';
import { asEra, timedUser } from './settle-user.ts';

export interface PointsNow extends Outlook {
  /** With all that is due; its version is that of the last entry there is. */
  account: Account;
}

/** A user's account in a points system as it stands at an instant, with what is due by the clock. Writes nothing. */
export async function pointsNow(
  db: Queryable,
  programs: Programs,
  user: { projectId: string; externalId: string; systemId: string; balance: UserBalance },
  { index, now }: { index: ProgramIndex; now: Instant },
): Promise<PointsNow> {
  const { balance: account, projectId, externalId, systemId } = user;
  const clock = account.clock ?? firstClock(account.created);
  const eras = await programs.eras(db, projectId, index, clock.settledAt);
  if (eras === undefined) return { account, nextAt: null, fullAt: null };
  const own = await findUserBoosts(db, [{ projectId, externalId }], clock.settledAt);
  const boosts = own.get(`${projectId} ${externalId}`) ?? [];
  const timed = timedUser(account, account.created, boosts, index);
  const ticked = tick(systemId, eras.map(asEra), timed, { account, clock }, Math.max(now, clock.settledAt));
  return {
    account: { ...ticked.account, version: account.version },
    ...outlook(systemId, asEra(eras.at(-1) as IndexedEra), timed, ticked, { full: true }),
  };
}
