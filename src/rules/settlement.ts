import { changeOf, EMPTY_ACCOUNT } from './account.ts';
import { openForUser } from './boost-schedule.ts';
import type { Applied } from './decision.ts';
import { post } from './limit.ts';
import { giveRewards } from './reward.ts';
import { type Clock, type Era, type TickRun, type TimedUser, tick } from './ticks.ts';
import type { Account, Instant, System, UserBoost, ZonePeriod } from './types.ts';

/** What was due by the clock for a user, settled before something else happens to the user. */
export interface Settlement extends Pick<Applied, 'rewards' | 'again' | 'systems' | 'consulted' | 'userBoosts'> {
  until: Instant;
  /** Instant of the user's creation. */
  created: Instant;
  /** The programs by which ticks were judged, and from when each was in force. */
  eras: readonly { version: number; from: Instant }[];
  /** By system id, of each system that ticked: its clock as it was. */
  clocks: ReadonlyMap<string, Clock>;
  runs: readonly TickRun[];
  /** The user's zones, where days were read in them; else none. */
  zones: readonly ZonePeriod[];
}

export interface Settling {
  accounts: ReadonlyMap<string, Account>;
  /** By system id; missing: nothing was ever settled there. */
  clocks: ReadonlyMap<string, Clock>;
  rewarded: ReadonlySet<string>;
}

export interface Settled {
  /** Null: nothing that was due changed a balance. */
  settlement: Settlement | null;
  clocks: ReadonlyMap<string, Clock>;
}

/** The clock of a points system that was never settled for the user. */
export function firstClock(created: Instant): Clock {
  return { settledAt: created, running: new Map() };
}

/**
 * Settles what is due in these points systems up to `until`, by the programs of `known`, the last of which is in force. Levels
 * and their rewards are those of the last.
 */
export function settle(
  systemIds: readonly string[],
  known: readonly Era[],
  user: TimedUser,
  state: Settling,
  until: Instant,
): Settled {
  if (systemIds.length === 0) return { settlement: null, clocks: new Map() };
  const eras = since(systemIds, known, user, state);
  const { program } = eras.at(-1) as Era;
  const accounts = new Map(state.accounts);
  const clocks = new Map<string, Clock>();
  const before = new Map<string, Clock>();
  const runs: TickRun[] = [];
  for (const systemId of systemIds) {
    const clock = state.clocks.get(systemId) ?? firstClock(user.created);
    const account = accounts.get(systemId) ?? EMPTY_ACCOUNT;
    const ticked = tick(systemId, eras, user, { account, clock }, until);
    clocks.set(systemId, ticked.clock);
    if (ticked.runs.length === 0) continue;
    accounts.set(systemId, ticked.account);
    before.set(systemId, clock);
    runs.push(...ticked.runs);
  }
  if (runs.length === 0) return { settlement: null, clocks };
  const accountBefore = (systemId: string) => state.accounts.get(systemId) ?? EMPTY_ACCOUNT;
  const risen = stepsOf(runs, accountBefore);
  const { rewards, again } = giveRewards(program, accounts, risen, state.rewarded);
  const touched = new Set([...before.keys(), ...rewards.map(({ targetId }) => targetId)]);
  // Of what ticked alone, so that settling again finds the same.
  const ticked = since([...before.keys()], eras, user, state);
  const timed = ticked.flatMap(({ program: { systems } }) => systems.filter(({ id }) => before.has(id)));
  return {
    clocks,
    settlement: {
      until,
      created: user.created,
      eras: ticked.map(({ program: { version }, from }) => ({ version, from })),
      clocks: before,
      runs,
      rewards,
      again,
      systems: program.systems
        .filter(({ id }) => touched.has(id))
        .map((system) => changeOf(system, accountBefore(system.id), accounts.get(system.id) ?? EMPTY_ACCOUNT)),
      consulted: consultedOf(timed, user),
      userBoosts: user.boosts.filter((boost) => isOpenIn(boost, before.get(boost.systemId), until)),
      zones: timed.some(readsUserDays) ? user.zones : [],
    },
  };
}

/** What each run did to its account: the next one may take away again what reached a level. */
function stepsOf(runs: readonly TickRun[], accountBefore: (systemId: string) => Account) {
  const accounts = new Map<string, Account>();
  return runs.map(({ systemId, amount }) => {
    const before = accounts.get(systemId) ?? accountBefore(systemId);
    const after = post(before, amount) ?? before;
    accounts.set(systemId, after);
    return { systemId, before, after };
  });
}

/** The eras in which anything may be due that is not settled. */
function since(
  systemIds: readonly string[],
  eras: readonly Era[],
  { created }: TimedUser,
  { clocks }: Settling,
): Era[] {
  const from = systemIds.reduce(
    (least, id) => Math.min(least, clocks.get(id)?.settledAt ?? created),
    Number.POSITIVE_INFINITY,
  );
  return eras.filter((_, place) => (eras[place + 1]?.from ?? Number.POSITIVE_INFINITY) > from);
}

/** Whether a boost was open while any of these ticks were due: it may have parted them, even where another one stood alone. */
function isOpenIn({ window }: UserBoost, clock: Clock | undefined, until: Instant): boolean {
  if (clock === undefined || window.kind !== 'instants') return false;
  return window.startTime <= until && (window.endTime === null || window.endTime > clock.settledAt);
}

function readsUserDays({ boosts }: System): boolean {
  return boosts.some(({ window }) => window.kind === 'dates' && window.zone === 'user');
}

function consultedOf(systems: readonly System[], { attributes }: TimedUser): Record<string, string | null> {
  const filters = systems.flatMap(({ triggers, boosts }) =>
    [...triggers.filter(({ type }) => type === 'time'), ...boosts].flatMap(({ userAttributes }) => userAttributes),
  );
  const keys = [...new Set(filters.map(({ key }) => key))].sort();
  return Object.fromEntries(
    keys.map((key) => [key, Object.hasOwn(attributes, key) ? (attributes[key] ?? null) : null]),
  );
}

/** A user's own boost as ticks see it: open within its window, from when it was made until it was archived. */
export function boostForTicks(
  boost: UserBoost,
  lived: { from: Instant; until: Instant | null },
  zones: readonly ZonePeriod[],
  projectZone: string,
): UserBoost {
  const { startsAt, endsAt } = openForUser(boost.window, zones, projectZone);
  const ends = [endsAt, lived.until].filter((end) => end !== null);
  return {
    ...boost,
    window: {
      kind: 'instants',
      startTime: Math.max(startsAt, lived.from),
      endTime: ends.length === 0 ? null : Math.min(...ends),
    },
  };
}

/** When a clock changes the balance next, and when ticks alone have filled it. */
export interface Outlook {
  nextAt: Instant | null;
  fullAt: Instant | null;
}

const DAY_MS = 86_400_000;
/** Nothing is repeated more seldom than every 99,999 days. */
const NEXT_MS = 100_000 * DAY_MS;
const FULL_MS = 366 * DAY_MS;
const FULL_RUNS = 200;

/** What ticks will do to an account that is settled, as things are. */
export function outlook(
  systemId: string,
  era: Era,
  user: TimedUser,
  start: { account: Account; clock: Clock },
  { full }: { full: boolean },
): Outlook {
  const { settledAt } = start.clock;
  const [next] = tick(systemId, [era], user, start, settledAt + NEXT_MS, 1).runs;
  if (next === undefined || !full) return { nextAt: next?.first ?? null, fullAt: null };
  const { fullAt } = tick(systemId, [era], user, start, settledAt + FULL_MS, FULL_RUNS);
  return { nextAt: next.first, fullAt };
}
