import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import type { BoostInput } from '../../gen/guerdon/v1/boost_service_pb.ts';
import { BoostZone, Rounding } from '../../gen/guerdon/v1/types_pb.ts';
import type { BoostDraft } from '../../program/boost.ts';
import type { MaskField } from '../mask.ts';

type Settable = Omit<BoostDraft, 'id' | 'user'>;
type Field = MaskField<BoostInput, Partial<Settable>>;

const ROUNDING: Record<Rounding, BoostDraft['rounding']> = {
  [Rounding.UNSPECIFIED]: null,
  [Rounding.DOWN]: 'down',
  [Rounding.UP]: 'up',
  [Rounding.NEAREST]: 'nearest',
};
const ZONE: Record<BoostZone, BoostDraft['zone']> = {
  [BoostZone.UNSPECIFIED]: null,
  [BoostZone.USER]: 'user',
  [BoostZone.PROJECT]: 'project',
};

const instant = (at: Timestamp | undefined) => (at === undefined ? null : timestampMs(at));
const given = (name: keyof BoostInput) => (input: BoostInput) => input[name] !== undefined;

/** The fields of a boost that can be set, by their names in the proto. */
export const BOOST_FIELDS: Readonly<Record<string, Field>> = {
  user_attributes: {
    isPresent: (input) => input.userAttributes.length > 0,
    read: (input) => ({ userAttributes: input.userAttributes }),
  },
  name: { isPresent: given('name'), read: (input) => ({ name: input.name ?? '' }) },
  multiplier: { isPresent: given('multiplier'), read: (input) => ({ multiplier: input.multiplier ?? '' }) },
  start: { isPresent: given('start'), read: (input) => ({ start: input.start ?? null }) },
  end: { isPresent: given('end'), read: (input) => ({ end: input.end ?? null }) },
  zone: {
    isPresent: (input) => input.zone !== BoostZone.UNSPECIFIED,
    read: (input) => ({ zone: ZONE[input.zone] ?? null }),
  },
  start_time: { isPresent: given('startTime'), read: (input) => ({ startTime: instant(input.startTime) }) },
  end_time: { isPresent: given('endTime'), read: (input) => ({ endTime: instant(input.endTime) }) },
  rounding: {
    isPresent: (input) => input.rounding !== Rounding.UNSPECIFIED,
    read: (input) => ({ rounding: ROUNDING[input.rounding] ?? null }),
  },
  exclusive: { isPresent: given('exclusive'), read: (input) => ({ exclusive: input.exclusive ?? false }) },
};

/** A boost to make, with what is absent left open. */
export function boostDraft(input: BoostInput): BoostDraft {
  const fields = Object.values(BOOST_FIELDS).map((field) => field.read(input));
  return {
    ...(Object.assign({}, ...fields) as Settable),
    id: input.id === '' ? null : input.id.toLowerCase(),
    user: input.userId ?? null,
  };
}
