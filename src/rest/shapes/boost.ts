import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { type Boost, BoostStatus, Rounding } from '../../gen/guerdon/v1/types_pb.ts';
import type { Call } from '../../rpc/call.ts';
import { currentProgram } from '../../rpc/lookup.ts';
import { localDate } from '../../rules/zone.ts';
import { exactNumber } from '../json.ts';
import { filterShapes } from './filters.ts';

const STATUS: Record<BoostStatus, string> = {
  [BoostStatus.UNSPECIFIED]: 'scheduled',
  [BoostStatus.SCHEDULED]: 'scheduled',
  [BoostStatus.ACTIVE]: 'active',
  [BoostStatus.FINISHED]: 'finished',
};
const ROUNDING: Record<Rounding, string> = {
  [Rounding.UNSPECIFIED]: 'down',
  [Rounding.DOWN]: 'down',
  [Rounding.UP]: 'up',
  [Rounding.NEAREST]: 'nearest',
};
export const ROUNDINGS: Readonly<Record<string, Rounding>> = {
  down: Rounding.DOWN,
  up: Rounding.UP,
  nearest: Rounding.NEAREST,
};

export type BoostShape = ReturnType<typeof boostShape>;

/** Boosts for an app, in the order given. */
export async function boostShapes(call: Call, boosts: readonly Boost[]): Promise<BoostShape[]> {
  if (boosts.length === 0) return [];
  const { timeZone } = (await currentProgram(call)).program;
  return boosts.map((boost) => boostShape(boost, timeZone));
}

/** A window of instants is told by its days in the project's zone. */
export function boostShape(boost: Boost, projectZone: string) {
  const day = (at: Timestamp | undefined, ms = 0) =>
    at === undefined ? null : localDate(timestampMs(at) + ms, projectZone);
  const days = boost.start !== '';
  return {
    id: boost.id,
    name: boost.name,
    status: STATUS[boost.status],
    start: days ? boost.start : day(boost.startTime),
    end: days ? boost.end || null : day(boost.endTime, -1),
    multiplier: exactNumber(boost.multiplier),
    rounding: ROUNDING[boost.rounding],
  };
}

/** Boosts for an administrator, in the order given. */
export async function adminBoostShapes(call: Call, boosts: readonly Boost[]) {
  const { timeZone } = (await currentProgram(call)).program;
  const { attributes } = await call.api.context.catalog.get(call.projectId);
  return boosts.map((boost) => ({
    ...boostShape(boost, timeZone),
    userId: boost.userId || null,
    ...(boost.userId === '' && { userAttributes: filterShapes(attributes, 'user', boost.userAttributes) }),
  }));
}
