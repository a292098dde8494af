import { multiply } from './boost.ts';
import { type Open, openForUser } from './boost-schedule.ts';
import type { Fired } from './decision.ts';
import { firstMismatch } from './filter.ts';
import { limitTicks, post } from './limit.ts';
import type {
  Account,
  Attributes,
  Boost,
  Instant,
  Program,
  System,
  TimeTrigger,
  UserBoost,
  ZonePeriod,
} from './types.ts';

/** How far the ticks of a points system are settled for a user. */
export interface Clock {
  /** What was due at this instant or before is settled. */
  settledAt: Instant;
  /**
   * By id, of triggers that run below the cap: the last tick, or when the clock began to run; null: it stands. Missing: it
   * was never looked at.
   */
  running: ReadonlyMap<string, Instant | null>;
}

/** A program and from when it was in force; the first of a list also covers what was before. */
export interface Era {
  program: Program;
  from: Instant;
}

/** The user as ticks look at it: attributes only change by what settles first. */
export interface TimedUser {
  created: Instant;
  attributes: Attributes;
  zones: readonly ZonePeriod[];
  /** With windows of instants, within the time in which each boost was there. */
  boosts: readonly UserBoost[];
}

/** Ticks of one trigger, one after the other, that paid the same; `fires` is their number and `at` the last one. */
export interface TickRun extends Fired {
  first: Instant;
  at: Instant;
  programVersion: number;
}

export interface Ticked {
  runs: readonly TickRun[];
  account: Account;
  clock: Clock;
  /** When the cap was first reached by a tick; null: never. */
  fullAt: Instant | null;
}

/** So many steps without a run are taken by who asks for the next few runs only. */
const STEPS_MAX = 1_000;

/**
 * Settles all ticks of a points system after `clock.settledAt` up to `until`, in the order of time, each by the program in
 * force at its own instant. Takes time by runs, not by ticks. `runsMax`: no more runs are looked for.
 */
export function tick(
  systemId: string,
  eras: readonly Era[],
  user: TimedUser,
  start: { account: Account; clock: Clock },
  until: Instant,
  runsMax: number = Number.POSITIVE_INFINITY,
): Ticked {
  const ticking = new Ticking(systemId, user, start.account, start.clock, runsMax);
  eras.forEach(({ program, from }, index) => {
    const end = Math.min(until, (eras[index + 1]?.from ?? Number.POSITIVE_INFINITY) - 1);
    const begin = index === 0 ? start.clock.settledAt : Math.max(start.clock.settledAt, from);
    if (end >= begin) ticking.during(program, begin, end, begin === start.clock.settledAt);
  });
  return {
    runs: ticking.runs,
    account: ticking.account,
    clock: { settledAt: Math.max(start.clock.settledAt, until), running: ticking.running },
    fullAt: ticking.fullAt,
  };
}

/** A boost of the system and when it is open for the user. */
interface Opened {
  boost: Boost;
  open: Open;
}

class Ticking {
  readonly runs: TickRun[] = [];
  account: Account;
  running: ReadonlyMap<string, Instant | null>;
  fullAt: Instant | null = null;
  readonly #systemId: string;
  readonly #user: TimedUser;
  readonly #runsMax: number;

  constructor(systemId: string, user: TimedUser, account: Account, clock: Clock, runsMax: number) {
    this.#systemId = systemId;
    this.#user = user;
    this.account = account;
    this.running = clock.running;
    this.#runsMax = runsMax;
  }

  /** The time from `begin` to `end` under one program; `settled`: what was due at `begin` itself is settled. */
  during(program: Program, begin: Instant, end: Instant, settled: boolean): void {
    const system = program.systems.find(({ id }) => id === this.#systemId);
    if (system === undefined) return;
    const all = system.triggers.filter((trigger): trigger is TimeTrigger => trigger.type === 'time' && trigger.active);
    const clocks = new Clocks(system, all, this.#user.created, settled ? begin : begin - 1, this.running);
    clocks.look(this.account.balance, begin);
    const paying = all.filter(({ userAttributes }) => !firstMismatch(userAttributes, this.#user.attributes));
    const boosts = this.#boostsOf(program, system);
    const stepsMax = this.#runsMax === Number.POSITIVE_INFINITY ? this.#runsMax : STEPS_MAX;
    for (let step = 0; this.runs.length < this.#runsMax && step < stepsMax; step += 1) {
      const next = clocks.earliest(paying, end);
      if (next === undefined) break;
      const { trigger, at } = next;
      const open = trigger.points > 0n ? boosts.filter((one) => isOpen(one.open, at)) : [];
      const limit = Math.min(end, nextEdge(boosts, at) - 1, clocks.untilAnother(paying, trigger));
      this.#take(program, system, trigger, { at, limit, boosts: open.map(({ boost }) => boost) }, clocks);
    }
    for (const trigger of all) if (!paying.includes(trigger)) clocks.pass(trigger, end);
    this.running = clocks.running;
  }

  /** The ticks of one trigger from `at` to `limit`: as many as change nothing for any other. */
  #take(
    program: Program,
    system: System,
    trigger: TimeTrigger,
    { at, limit, boosts }: { at: Instant; limit: Instant; boosts: readonly Boost[] },
    clocks: Clocks,
  ): void {
    const one =
      trigger.points > 0n ? multiply(trigger.points, boosts, system.boostCeiling) : multiply(trigger.points, [], null);
    const possible = BigInt(Math.floor((limit - at) / trigger.every)) + 1n;
    const { balance } = this.account;
    const toFull =
      system.maxPoints !== null && one.boosted > 0n && balance < system.maxPoints
        ? (system.maxPoints - balance + one.boosted - 1n) / one.boosted
        : null;
    // A tick that takes points from a full account sets the clocks going that stand while it is full.
    const ticks =
      one.boosted < 0n && clocks.stands()
        ? 1n
        : trigger.runs === 'below_cap' && toFull !== null && toFull < possible
          ? toFull
          : possible;
    const last = at + (Number(ticks) - 1) * trigger.every;
    if (toFull !== null && toFull <= ticks) this.fullAt ??= at + (Number(toFull) - 1) * trigger.every;
    const change = limitTicks(system, trigger, this.account, { one: one.boosted, times: ticks });
    const after = post(this.account, change.amount) ?? this.account;
    const amount = after.balance - balance;
    const boosted = one.boosted * ticks;
    if (amount !== 0n) {
      this.runs.push({
        triggerId: trigger.id,
        systemId: system.id,
        programVersion: program.version,
        fires: ticks,
        base: trigger.points * ticks,
        ...one,
        boosted,
        room: change.room,
        amount,
        withheld: boosted - amount,
        balanceAfter: after.balance,
        version: after.version,
        first: at,
        at: last,
      });
    }
    this.account = after;
    clocks.ticked(trigger, last);
    clocks.look(after.balance, last);
  }

  #boostsOf(program: Program, system: System): Opened[] {
    const { attributes, zones, boosts } = this.#user;
    const own = boosts.filter(({ systemId }) => systemId === system.id);
    return (
      [...system.boosts, ...own]
        .filter(({ userAttributes }) => !firstMismatch(userAttributes, attributes))
        .map((boost) => ({ boost, open: openForUser(boost.window, zones, program.timeZone) }))
        // One that ends before it begins parts no ticks.
        .filter(({ open }) => open.endsAt === null || open.startsAt < open.endsAt)
    );
  }
}

/** When each trigger of a points system ticks. */
class Clocks {
  readonly running: Map<string, Instant | null>;
  readonly #system: System;
  readonly #order: readonly TimeTrigger[];
  readonly #created: Instant;
  /** Of triggers that always run: the instant up to which they have ticked. */
  readonly #ticked: Map<string, Instant>;

  constructor(
    system: System,
    triggers: readonly TimeTrigger[],
    created: Instant,
    begin: Instant,
    running: ReadonlyMap<string, Instant | null>,
  ) {
    this.#system = system;
    this.#order = triggers;
    this.#created = created;
    this.#ticked = new Map(triggers.map(({ id }) => [id, begin]));
    const below = triggers.filter(({ runs }) => runs === 'below_cap');
    this.running = new Map(
      below.map(({ id, since }): [string, Instant | null] => {
        const was = running.get(id) ?? null;
        return [id, was === null ? null : Math.max(was, since)];
      }),
    );
  }

  /** Clocks stand while the account is full, and begin to run at the instant when it is not any more. */
  look(balance: bigint, at: Instant): void {
    const full = this.#system.maxPoints !== null && balance >= this.#system.maxPoints;
    for (const { id, since } of this.#order) {
      if (!this.running.has(id)) continue;
      if (full) this.running.set(id, null);
      else if (this.running.get(id) === null) this.running.set(id, Math.max(at, since, this.#created));
    }
  }

  /** Whether any clock stands. */
  stands(): boolean {
    return [...this.running.values()].includes(null);
  }

  /** The next tick of a trigger; undefined: its clock stands. */
  next(trigger: TimeTrigger): Instant | undefined {
    if (trigger.runs === 'below_cap') {
      const from = this.running.get(trigger.id) ?? null;
      return from === null ? undefined : from + trigger.every;
    }
    const anchor = Math.max(trigger.since, this.#created);
    const ticked = this.#ticked.get(trigger.id) as Instant;
    return ticked < anchor
      ? anchor + trigger.every
      : anchor + (Math.floor((ticked - anchor) / trigger.every) + 1) * trigger.every;
  }

  /** The trigger that ticks first, up to `end`; of several at once the one that comes first in order. */
  earliest(triggers: readonly TimeTrigger[], end: Instant): { trigger: TimeTrigger; at: Instant } | undefined {
    let found: { trigger: TimeTrigger; at: Instant } | undefined;
    for (const trigger of triggers) {
      const at = this.next(trigger);
      if (at !== undefined && at <= end && (found === undefined || at < found.at)) found = { trigger, at };
    }
    return found;
  }

  /** The last instant at which `trigger` may tick before another one does. */
  untilAnother(triggers: readonly TimeTrigger[], trigger: TimeTrigger): Instant {
    const place = triggers.indexOf(trigger);
    let limit = Number.POSITIVE_INFINITY;
    triggers.forEach((other, index) => {
      const at = index === place ? undefined : this.next(other);
      if (at !== undefined) limit = Math.min(limit, index > place ? at : at - 1);
    });
    return limit;
  }

  ticked({ id, runs }: TimeTrigger, last: Instant): void {
    this.#ticked.set(id, last);
    if (runs === 'below_cap') this.running.set(id, last);
  }

  /** Lets time go by for a trigger that pays this user nothing. */
  pass(trigger: TimeTrigger, end: Instant): void {
    const from = this.running.get(trigger.id) ?? null;
    if (from === null || end <= from) return;
    this.running.set(trigger.id, from + Math.floor((end - from) / trigger.every) * trigger.every);
  }
}

function isOpen({ startsAt, endsAt }: Open, at: Instant): boolean {
  return startsAt <= at && (endsAt === null || at < endsAt);
}

/** The first instant after `at` at which a boost begins or ends. */
function nextEdge(boosts: readonly Opened[], at: Instant): Instant {
  return boosts
    .flatMap(({ open }) => [open.startsAt, open.endsAt])
    .filter((edge): edge is Instant => edge !== null && edge > at)
    .reduce((first, edge) => Math.min(first, edge), Number.POSITIVE_INFINITY);
}
