import { multiply } from '../rules/boost.ts';
import { type Open, statusAt } from '../rules/boost-schedule.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { BoostSnapshot } from '../rules/program.ts';
import type { AttributeFilter, Boost, Instant, Rounding, System } from '../rules/types.ts';
import { isDate, localDate } from '../rules/zone.ts';

/** A boost as somebody asks for it; null: not given. */
export interface BoostDraft {
  /** A UUID of the sender's own making. */
  id: string | null;
  /** The app's own id of the one user it is for. */
  user: string | null;
  name: string;
  /** A decimal string. */
  multiplier: string;
  rounding: Rounding | null;
  exclusive: boolean;
  userAttributes: readonly AttributeFilter[];
  /** Whole days `YYYY-MM-DD`, in the user's or the project's zone. */
  start: string | null;
  end: string | null;
  zone: 'user' | 'project' | null;
  startTime: Instant | null;
  endTime: Instant | null;
}

/** What is wrong with one field of an item, in the names of the proto; no field: with the item as a whole. */
export interface ItemProblem {
  field: string;
  message: string;
}

/** Lists begin after it. */
const NIL = '00000000-0000-0000-0000-000000000000';
const YEARS = ['1900-01-01', '9998-12-31'] as const;
const INSTANTS = [Date.parse(YEARS[0]), Date.parse(YEARS[1])] as const;

/** What is wrong with a draft of the right form: contradictions, numbers out of range, names that mean nothing. */
export function boostProblems(draft: BoostDraft, userAttributes: ReadonlySet<string>): ItemProblem[] {
  const multiplier = draft.multiplier === '' ? 0n : parseDecimal(draft.multiplier);
  return [
    ...(draft.id === NIL ? [{ field: 'id', message: 'must not be the nil UUID' }] : []),
    ...(draft.name === '' ? [{ field: 'name', message: 'must be given' }] : []),
    ...(multiplier > 0n && multiplier < parseDecimal('100') && multiplier !== parseDecimal('1')
      ? []
      : [{ field: 'multiplier', message: 'must be above 0 and below 100, and not 1' }]),
    ...(draft.user !== null && draft.userAttributes.length > 0
      ? [
          {
            field: 'user_attributes',
            message: 'must be left out when user_id is given: a boost is for one user or for all that match',
          },
        ]
      : []),
    ...draft.userAttributes
      .filter(({ key }) => !userAttributes.has(key))
      .map(({ key }) => ({ field: 'user_attributes', message: `there is no user attribute ${JSON.stringify(key)}` })),
    ...repeatedKeys(draft.userAttributes).map((key) => ({
      field: 'user_attributes',
      message: `${JSON.stringify(key)} stands there twice`,
    })),
    ...windowProblems(draft),
  ];
}

/** Keys that stand in the list more than once. */
export function repeatedKeys(items: readonly { key: string }[]): string[] {
  const keys = items.map(({ key }) => key);
  return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
}

function windowProblems({ start, end, zone, startTime, endTime }: BoostDraft): ItemProblem[] {
  if (start === null && startTime === null) {
    return [{ field: 'start', message: 'must be given as a day, or else start_time as an instant' }];
  }
  if (start !== null && (startTime !== null || endTime !== null)) {
    const field = startTime === null ? 'end_time' : 'start_time';
    return [{ field, message: 'must be left out beside start: a window is of days or of instants' }];
  }
  if (start === null && (end !== null || zone !== null)) {
    return [{ field: end === null ? 'zone' : 'end', message: 'goes with start, not with start_time' }];
  }
  if (startTime !== null) return instantProblems(startTime, endTime);
  const wrong = (['start', 'end'] as const).filter((field) => {
    const day = field === 'start' ? start : end;
    return day !== null && !(isDate(day) && day >= YEARS[0] && day <= YEARS[1]);
  });
  if (wrong.length > 0) {
    return wrong.map((field) => ({ field, message: `must be a day YYYY-MM-DD from ${YEARS[0]} to ${YEARS[1]}` }));
  }
  return end === null || end >= (start as string) ? [] : [{ field: 'end', message: 'must not be before start' }];
}

function instantProblems(startTime: Instant, endTime: Instant | null): ItemProblem[] {
  const outside = (at: Instant | null) => at !== null && !(at >= INSTANTS[0] && at <= INSTANTS[1]);
  const wrong = [...(outside(startTime) ? ['start_time'] : []), ...(outside(endTime) ? ['end_time'] : [])];
  if (wrong.length > 0) return wrong.map((field) => ({ field, message: `must be from ${YEARS[0]} to ${YEARS[1]}` }));
  return endTime === null || endTime > startTime
    ? []
    : [{ field: 'end_time', message: 'must be later than start_time' }];
}

/** A draft without a problem, as the rules know it. */
export function boostOf(draft: BoostDraft, id: string): BoostSnapshot {
  return {
    id,
    name: draft.name,
    multiplier: formatDecimal(parseDecimal(draft.multiplier)),
    rounding: draft.rounding ?? 'down',
    exclusive: draft.exclusive,
    userAttributes: draft.userAttributes.map(({ key, value }) => ({ key, value })),
    window:
      draft.startTime !== null
        ? { kind: 'instants', startTime: draft.startTime, endTime: draft.endTime }
        : { kind: 'dates', start: draft.start as string, end: draft.end, zone: draft.zone ?? 'user' },
  };
}

/** What is allowed and perhaps not meant: a start in the past, a window that is over, a boost that changes no award. */
export function boostWarnings(
  boost: Boost,
  system: System,
  open: Open,
  { now, zone }: { now: Instant; zone: string },
): ItemProblem[] {
  const days = boost.window.kind === 'dates';
  const past = boost.window.kind === 'dates' ? boost.window.start < localDate(now, zone) : boost.window.startTime < now;
  const gives = system.triggers.filter((trigger) => trigger.active && trigger.points > 0n);
  const changes = gives.some(
    (trigger) => multiply(trigger.points, [boost], system.boostCeiling).boosted !== trigger.points,
  );
  if (statusAt(open, now) === 'finished') {
    return [{ field: days ? 'end' : 'end_time', message: 'is over: only events that come late can still meet it' }];
  }
  return [
    ...(past
      ? [
          {
            field: days ? 'start' : 'start_time',
            message: 'is in the past: nothing is paid for events already applied',
          },
        ]
      : []),
    ...(changes
      ? []
      : [
          {
            field: 'multiplier',
            message:
              gives.length === 0
                ? `can do nothing: no active trigger of ${system.key} gives points`
                : `can do nothing: no award of ${system.key} for one firing changes, rounded ${boost.rounding}`,
          },
        ]),
  ];
}
