import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applicable, multiply } from '../../src/rules/boost.ts';
import { outlook } from '../../src/rules/settlement.ts';
import { type Clock, type Era, type TimedUser, tick } from '../../src/rules/ticks.ts';
import type { Account, Boost, Instant, Program, System, TimeTrigger, UserBoost } from '../../src/rules/types.ts';
import { anyDecimal, boost, program, system } from './build.ts';

// Ticks of any economy against a simulator that knows nothing of runs: it goes from tick to tick, in the order of time.

const HOUR = 3_600_000;
const ID = 'xp';
const GRID = 2;

/** Instants on a coarse grid, so that ticks, edges of boosts, edits and commands often meet; some are off it. */
const anyHours = (min: number, max: number): fc.Arbitrary<Instant> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: min * GRID, max: max * GRID }).map((n) => (n * HOUR) / GRID) },
    fc.integer({ min: min * HOUR, max: max * HOUR }),
  );

const LAST = 60;

interface Written {
  key: string;
  active: boolean;
  points: number;
  every: number;
  runs: 'always' | 'below_cap';
  onFloor: 'refuse' | 'clamp' | 'allow';
  pro: boolean;
}

const anyTick = (key: string): fc.Arbitrary<Written> =>
  fc.record({
    key: fc.constant(key),
    active: fc.integer({ min: 0, max: 5 }).map((number) => number > 0),
    points: fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 1, max: 12 }) }, fc.integer({ min: -9, max: -1 })),
    every: fc.constantFrom(1, 2, 5).map((hours) => hours * HOUR),
    runs: fc.constantFrom('always' as const, 'below_cap' as const),
    onFloor: fc.constantFrom('refuse' as const, 'clamp' as const, 'allow' as const),
    pro: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
  });

const anyInstantBoost: fc.Arbitrary<Boost> = fc
  .record({
    id: fc.uuid(),
    multiplier: anyDecimal(0, 3).map((number) => (number === 0n ? 500_000_000n : number)),
    rounding: fc.constantFrom('down' as const, 'up' as const, 'nearest' as const),
    exclusive: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
    user: fc.constantFrom({}, {}, { plan: 'pro' }),
    window: fc
      .record({ startTime: anyHours(-4, LAST), endTime: fc.option(anyHours(-4, LAST)) })
      .map((edges) => ({ kind: 'instants' as const, ...edges })),
  })
  .map(({ multiplier, ...rest }) => boost(multiplier, rest));

interface Edition {
  from: Instant;
  /** Null: the points system is not in the program. */
  has: { triggers: Written[]; max: number | null; min: number | null; ceiling: bigint | null; boosts: Boost[] } | null;
}

const anyEdition: fc.Arbitrary<Edition> = fc.record({
  from: anyHours(0, LAST),
  has: fc.option(
    fc.record({
      triggers: fc
        .tuple(fc.subarray(['a', 'b', 'c']), anyTick(''), anyTick(''), anyTick(''))
        .map(([keys, ...ticks]) => keys.map((key, index) => ({ ...(ticks[index] as Written), key }))),
      max: fc.option(fc.integer({ min: 0, max: 60 })),
      min: fc.option(fc.integer({ min: -20, max: 20 })),
      ceiling: fc.option(anyDecimal(1, 4)),
      boosts: fc.array(anyInstantBoost, { maxLength: 3 }),
    }),
    { freq: 8 },
  ),
});

/** As edits make them: what is activated, or gets another interval, begins anew; what comes back is another trigger. */
function erasOf(editions: readonly Edition[]): Era[] {
  let before: readonly TimeTrigger[] = [];
  return editions
    .toSorted((a, b) => a.from - b.from)
    .map(({ from, has }, index) => {
      const triggers = (has?.triggers ?? []).map(({ key, pro, ...written }): TimeTrigger => {
        const was = before.find((one) => one.key === key);
        const kept = was !== undefined && (!written.active || (was.active && was.every === written.every));
        return {
          ...written,
          id: was?.id ?? `${key}${index}`,
          key,
          type: 'time',
          points: BigInt(written.points),
          userAttributes: pro ? [{ key: 'plan', value: 'pro' }] : [],
          since: kept ? was.since : from,
        };
      });
      before = triggers;
      const rest = has && { id: ID, max: has.max, min: has.min, ceiling: has.ceiling, boosts: has.boosts };
      return { from, program: program(rest ? [system(triggers, rest)] : [], 'UTC', { version: index + 1 }) };
    });
}

interface World {
  eras: Era[];
  user: TimedUser;
  balance: number;
  /** What a spend or an adjustment makes the balance, and when. */
  commands: { at: Instant; by: number }[];
  until: Instant;
}

const anyWorld: fc.Arbitrary<World> = fc
  .record({
    eras: fc.array(anyEdition, { minLength: 1, maxLength: 4 }).map(erasOf),
    user: fc.record({
      created: anyHours(0, 20),
      attributes: fc.constantFrom({}, { plan: 'pro' }),
      zones: fc.constant([]),
      boosts: fc.array(
        anyInstantBoost.map((one): UserBoost => ({ ...one, systemId: ID })),
        { maxLength: 2 },
      ),
    }),
    balance: fc.integer({ min: -10, max: 70 }),
    commands: fc.array(fc.record({ at: anyHours(0, LAST), by: fc.integer({ min: -60, max: 60 }) }), { maxLength: 5 }),
    until: anyHours(LAST, LAST + 10),
  })
  .map((world) => ({
    ...world,
    commands: world.commands
      .filter(({ at }) => at >= world.user.created && at <= world.until)
      .toSorted((a, b) => a.at - b.at),
  }));

function start({ user, balance }: World): { account: Account; clock: Clock } {
  const account = { balance: BigInt(balance), earned: BigInt(Math.max(balance, 0)), version: 1n };
  return { account, clock: { settledAt: user.created, running: new Map() } };
}

/** The account after a command. */
function changed(account: Account, by: number): Account {
  const earned = account.earned + BigInt(Math.max(by, 0));
  return { balance: account.balance + BigInt(by), earned, version: account.version + 1n };
}

/** Settles before each command, and at `stops` besides. */
function settleAt(world: World, stops: readonly Instant[]) {
  const { eras, user, until } = world;
  let { account, clock } = start(world);
  const sums = new Map<string, bigint>();
  let posted = 0n;
  const settle = (at: Instant) => {
    const ticked = tick(ID, eras, user, { account, clock }, at);
    for (const { triggerId, amount, balanceAfter, version } of ticked.runs) {
      posted += amount;
      expect([amount === 0n, version === null]).toEqual([false, false]);
      sums.set(triggerId, (sums.get(triggerId) ?? 0n) + amount);
      account = { ...account, balance: account.balance + amount };
      expect(balanceAfter).toBe(account.balance);
    }
    expect(ticked.account.balance).toBe(account.balance);
    ({ account, clock } = ticked);
  };
  const steps = [...world.commands, ...stops.map((at) => ({ at, by: 0 })), { at: until, by: 0 }];
  for (const { at, by } of steps.toSorted((a, b) => a.at - b.at)) {
    settle(at);
    if (by !== 0) account = changed(account, by);
  }
  return { account, posted, sums, clock };
}

/** From one instant to the next, with a timer a trigger: no runs, no arithmetic on how many. */
class Simulator {
  readonly #world: World;
  readonly sums = new Map<string, bigint>();
  balance: bigint;
  earned: bigint;
  posted = 0n;
  /** By trigger id, of those that run below the cap: the last tick or start; null: stands. */
  timers = new Map<string, Instant | null>();

  constructor(world: World) {
    this.#world = world;
    this.balance = BigInt(world.balance);
    this.earned = this.balance > 0n ? this.balance : 0n;
  }

  #systemAt(at: Instant): System | undefined {
    const { eras } = this.#world;
    const { program } = eras.findLast(({ from }) => from <= at) ?? (eras[0] as { program: Program });
    return program.systems[0];
  }

  #triggersAt(at: Instant): TimeTrigger[] {
    return (this.#systemAt(at)?.triggers ?? []).filter((one): one is TimeTrigger => one.type === 'time' && one.active);
  }

  /** Timers stand while the account is full, and start when it is not. */
  #look(at: Instant): void {
    const timed = this.#systemAt(at);
    if (timed === undefined) return;
    const next = new Map<string, Instant | null>();
    for (const { id, runs, since } of this.#triggersAt(at)) {
      if (runs !== 'below_cap') continue;
      const full = timed.maxPoints !== null && this.balance >= timed.maxPoints;
      const was = this.timers.get(id) ?? null;
      next.set(id, full ? null : was === null ? at : Math.max(was, since));
    }
    this.timers = next;
  }

  #isDue(trigger: TimeTrigger, at: Instant): boolean {
    if (trigger.runs === 'below_cap') {
      const last = this.timers.get(trigger.id) ?? null;
      return last !== null && at === last + trigger.every;
    }
    const anchor = Math.max(trigger.since, this.#world.user.created);
    return at > anchor && (at - anchor) % trigger.every === 0;
  }

  #fire(timed: System, trigger: TimeTrigger, at: Instant): void {
    const { attributes, boosts } = this.#world.user;
    if (trigger.runs === 'below_cap') this.timers.set(trigger.id, at);
    if (trigger.userAttributes.some(({ value }) => attributes.plan !== value)) return;
    let amount = trigger.points;
    if (amount > 0n) {
      const open = applicable([...timed.boosts, ...boosts], { attributes, zones: [] }, at, 'UTC');
      amount = multiply(amount, open, timed.boostCeiling).boosted;
      const room = timed.maxPoints === null ? amount : timed.maxPoints - this.balance;
      amount = room <= 0n ? 0n : amount < room ? amount : room;
    } else if (trigger.onFloor !== 'allow') {
      const room = this.balance - (timed.minPoints ?? 0n);
      if (-amount > room) amount = trigger.onFloor === 'refuse' || room <= 0n ? 0n : -room;
    }
    this.balance += amount;
    this.posted += amount;
    if (amount > 0n) this.earned += amount;
    if (amount !== 0n) this.sums.set(trigger.id, (this.sums.get(trigger.id) ?? 0n) + amount);
  }

  #at(at: Instant, done: (at: Instant, before: bigint) => boolean): boolean {
    const timed = this.#systemAt(at);
    if (timed === undefined) return false;
    this.#look(at);
    // One that the first of the same instant sets going does not tick in that instant.
    for (const trigger of this.#triggersAt(at)) {
      if (!this.#isDue(trigger, at)) continue;
      const before = this.balance;
      this.#fire(timed, trigger, at);
      this.#look(at);
      if (done(at, before)) return true;
    }
    return false;
  }

  /** All instants at which anything may happen, one after the other. */
  run(): this {
    const { user, commands, until } = this.#world;
    this.#look(user.created);
    this.#go(user.created, until, commands);
    return this;
  }

  /** When ticks change the balance next, and when they have filled the account, if so within `hours`. */
  outlook(hours: number): { nextAt: Instant | null; fullAt: Instant | null } {
    const { until } = this.#world;
    const cap = this.#systemAt(until)?.maxPoints ?? null;
    const seen: { nextAt: Instant | null; fullAt: Instant | null } = { nextAt: null, fullAt: null };
    this.#go(until, until + hours * HOUR, [], (at, before) => {
      if (this.balance === before) return false;
      seen.nextAt ??= at;
      if (cap !== null && before < cap && this.balance >= cap) seen.fullAt ??= at;
      return seen.fullAt !== null;
    });
    return seen;
  }

  /** `done`: asked after each tick whether that is enough. */
  #go(
    from: Instant,
    until: Instant,
    commands: World['commands'],
    done: (at: Instant, before: bigint) => boolean = () => false,
  ): void {
    const { eras } = this.#world;
    let at = from;
    let queue = commands;
    for (;;) {
      while (queue[0] !== undefined && queue[0].at === at) {
        const { by } = queue[0];
        this.balance += BigInt(by);
        if (by > 0) this.earned += BigInt(by);
        queue = queue.slice(1);
        this.#look(at);
      }
      const next = Math.min(
        queue[0]?.at ?? Number.POSITIVE_INFINITY,
        eras.find(({ from }) => from > at)?.from ?? Number.POSITIVE_INFINITY,
        ...this.#triggersAt(at).map((trigger) => this.#nextOf(trigger, at)),
      );
      if (next > until) return;
      at = next;
      if (this.#at(at, done)) return;
    }
  }

  #nextOf(trigger: TimeTrigger, after: Instant): Instant {
    if (trigger.runs === 'below_cap') {
      const last = this.timers.get(trigger.id) ?? null;
      return last === null ? Number.POSITIVE_INFINITY : last + trigger.every;
    }
    let at = Math.max(trigger.since, this.#world.user.created);
    while (at <= after) at += trigger.every;
    return at;
  }
}

/** Of ticks alone within this many hours the outlook tells everything. */
const FORESEEN_HOURS = 48;

describe('ticks of any economy', () => {
  it('are those of going from tick to tick, with whatever comes between, and however often it is settled', () => {
    fc.assert(
      fc.property(anyWorld, fc.array(anyHours(0, LAST + 10), { maxLength: 6 }), (world, stops) => {
        const { balance, earned, posted, sums, timers } = new Simulator(world).run();
        const inside = stops.filter((at) => at >= world.user.created && at <= world.until);
        for (const { account, clock, ...settled } of [settleAt(world, []), settleAt(world, inside)]) {
          expect({ ...settled, balance: account.balance, earned: account.earned }).toEqual({
            ...{ balance, earned, posted, sums },
          });
          expect(clock).toEqual({ settledAt: world.until, running: timers });
        }
      }),
      { seed: 31, numRuns: 2_000 },
    );
  });

  it('come when the outlook says', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { account, clock } = settleAt(world, []);
        const told = outlook(ID, world.eras.at(-1) as Era, world.user, { account, clock }, { full: true });
        const seen = new Simulator(world).run().outlook(FORESEEN_HOURS);
        const within = (at: Instant | null) => at !== null && at <= world.until + FORESEEN_HOURS * HOUR;
        expect({
          nextAt: within(told.nextAt) ? told.nextAt : null,
          fullAt: within(told.fullAt) ? told.fullAt : null,
        }).toEqual(seen);
      }),
      { seed: 32, numRuns: 1_000 },
    );
  });
});
