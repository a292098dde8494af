import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { StoredBoost } from '../../commands/boosts/boost-rows.ts';
import { type BoostSchema, BoostStatus, BoostZone } from '../../gen/guerdon/v1/types_pb.ts';
import type * as schedule from '../../rules/boost-schedule.ts';
import { readBoost } from '../../rules/program.ts';
import type { Call } from '../call.ts';
import { boostBasics } from '../convert.ts';
import { systemKeys } from '../lookup.ts';

export const STATUS: Record<schedule.BoostStatus, BoostStatus> = {
  scheduled: BoostStatus.SCHEDULED,
  active: BoostStatus.ACTIVE,
  finished: BoostStatus.FINISHED,
};

/** Boosts as an administrator sees them. */
export async function boostMessages(
  call: Call,
  boosts: readonly StoredBoost[],
): Promise<MessageInitShape<typeof BoostSchema>[]> {
  const keys = await systemKeys(call);
  return boosts.map((stored) => {
    const { boost, open, archivedAt } = stored;
    const { window } = boost;
    return {
      ...boostBasics(readBoost(boost), open),
      status: STATUS[stored.status],
      systemKey: keys.get(stored.systemId) ?? '',
      userId: stored.user?.externalId ?? '',
      userAttributes: boost.userAttributes.map((filter) => ({ ...filter })),
      ...(window.kind === 'dates' && {
        start: window.start,
        end: window.end ?? '',
        zone: window.zone === 'user' ? BoostZone.USER : BoostZone.PROJECT,
      }),
      createdAt: timestampFromMs(stored.createdAt),
      updatedAt: timestampFromMs(stored.updatedAt),
      ...(archivedAt !== null && { archivedAt: timestampFromMs(archivedAt) }),
    };
  });
}

/** Has the workers look at these boosts when the first of them is due, where that is soon, and tell what has begun or ended. */
export function lookAgain(call: Call, boosts: readonly StoredBoost[]): void {
  const { schedule, webhooks, now, log } = call.api.context;
  if (boosts.length > 0) webhooks.soon(now()).catch((err) => log.warn({ err }, 'not woken; a regular look follows'));
  const due = boosts.flatMap(({ dueAt }) => dueAt ?? []);
  if (due.length === 0) return;
  schedule.at(Math.min(...due), now()).catch((err) => log.warn({ err }, 'not scheduled; a regular look finds it'));
}
