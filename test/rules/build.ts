// Builders that keep a row of a table on one line, a pure fold over decisions, and generators of whole programs.
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { decide } from '../../src/rules/decide.ts';
import { DECIMAL_ONE, type Decimal, parseDecimal } from '../../src/rules/decimal.ts';
import type { Applied, Decision, Refused } from '../../src/rules/decision.ts';
import { type LimitsRecord, readLimits } from '../../src/rules/limits-record.ts';
import { countUsage, usageKey } from '../../src/rules/quota.ts';
import { levelName } from '../../src/rules/reward.ts';
import type {
  Account,
  Achievement,
  AchievementTrigger,
  AttributeFilter,
  Attributes,
  Boost,
  Counter,
  DateWindow,
  Instant,
  InstantWindow,
  Level,
  MetricEvent,
  MetricTrigger,
  Program,
  StreakTrigger,
  System,
  TimeTrigger,
  Trigger,
  UserBoost,
  UserState,
} from '../../src/rules/types.ts';

/** A decimal as a test writes it: `10`, `'0.1'`, or scaled already. */
export type Written = number | string | bigint;

export function decimal(written: Written): Decimal {
  return typeof written === 'bigint' ? written : parseDecimal(String(written));
}

export function instant(iso: string): Instant {
  return DateTime.fromISO(iso, { zone: 'utc' }).toMillis();
}

/** The instant of an event that says nothing else. */
export const NOON = instant('2026-06-15T12:00:00Z');

/** All must equal: `{ plan: 'pro' }`. */
export function filters(attributes: Attributes): AttributeFilter[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value }));
}

type TriggerRest = Partial<
  Omit<MetricTrigger, 'threshold' | 'points' | 'userAttributes' | 'eventAttributes' | 'limits'>
> & {
  limits?: LimitsRecord;
  user?: Attributes;
  event?: Attributes;
};

/** `points` for each `threshold` of the metric `lessons`. Without an id it is named `t1`, `t2` … by its system. */
export function trigger(threshold: Written, points: number | bigint, rest: TriggerRest = {}): MetricTrigger {
  const { user = {}, event = {}, limits = {}, ...fields } = rest;
  return {
    id: '',
    key: 'trigger',
    type: 'metric',
    active: true,
    metricId: 'lessons',
    metricKey: 'lessons',
    threshold: decimal(threshold),
    points: BigInt(points),
    userAttributes: filters(user),
    eventAttributes: filters(event),
    onFloor: 'refuse',
    limits: readLimits(limits),
    ...fields,
  };
}

type TimeRest = Partial<Omit<TimeTrigger, 'points' | 'userAttributes' | 'every'>> & { user?: Attributes };

/** `points` every so many hours, since 1970 and always unless told. */
export function ticking(hours: number, points: number, rest: TimeRest = {}): TimeTrigger {
  const { user = {}, ...fields } = rest;
  return {
    id: '',
    key: 'tick',
    type: 'time',
    active: true,
    points: BigInt(points),
    userAttributes: filters(user),
    onFloor: 'refuse',
    every: hours * 3_600_000,
    runs: 'always',
    since: 0,
    ...fields,
  };
}

/** `points` for every `length` periods of a streak. */
export function streakTrigger(length: number, points: number): StreakTrigger {
  return {
    id: '',
    key: 'streak',
    type: 'streak',
    active: true,
    points: BigInt(points),
    userAttributes: [],
    onFloor: 'refuse',
    length,
  };
}

/** `points` for completing the achievement of this id. */
export function achievementTrigger(achievementId: string, points: number): AchievementTrigger {
  return {
    id: '',
    key: 'achievement',
    type: 'achievement',
    active: true,
    points: BigInt(points),
    userAttributes: [],
    onFloor: 'refuse',
    achievementId,
    achievementKey: achievementId,
  };
}

export function achievement(id: string, rule: Achievement['rule'], rest: Partial<Achievement> = {}): Achievement {
  return { id, key: id, name: id, description: '', active: true, userAttributes: [], rule, ...rest };
}

export function instants(start: string, end: string | null): InstantWindow {
  return { kind: 'instants', startTime: instant(start), endTime: end === null ? null : instant(end) };
}

export function dates(start: string, end: string | null, zone: 'user' | 'project' = 'user'): DateWindow {
  return { kind: 'dates', start, end, zone };
}

export const ALWAYS: InstantWindow = { kind: 'instants', startTime: 0, endTime: null };

type BoostRest = Partial<Omit<Boost, 'multiplier' | 'userAttributes'>> & { user?: Attributes };

/** Always open and rounding down unless told; named `x` and its multiplier. */
export function boost(multiplier: Written, rest: BoostRest = {}): Boost {
  const { user = {}, ...fields } = rest;
  return {
    id: `x${multiplier}`,
    name: `times ${multiplier}`,
    multiplier: decimal(multiplier),
    rounding: 'down',
    exclusive: false,
    userAttributes: filters(user),
    window: ALWAYS,
    ...fields,
  };
}

export function ownBoost(multiplier: Written, rest: BoostRest & { systemId?: string } = {}): UserBoost {
  const { systemId = 'xp', ...fields } = rest;
  return { ...boost(multiplier, { id: `own-x${multiplier}`, ...fields }), systemId };
}

export function level(key: string, points: number | bigint): Level {
  return { key, name: key, description: '', points: BigInt(points), rewards: [] };
}

type SystemRest = Partial<Omit<System, 'triggers' | 'maxPoints' | 'minPoints' | 'boostCeiling'>> & {
  max?: number | bigint | null;
  min?: number | bigint | null;
  ceiling?: Written | null;
};

/** The system `xp`: floor 0, no cap, no levels, no boosts. */
export function system(triggers: readonly Trigger[], rest: SystemRest = {}): System {
  const { max = null, min = 0, ceiling = null, ...fields } = rest;
  const key = fields.key ?? fields.id ?? 'xp';
  return {
    id: 'xp',
    key,
    name: key,
    description: '',
    maxPoints: max === null ? null : BigInt(max),
    minPoints: min === null ? null : BigInt(min),
    levelBasis: 'balance',
    boostCeiling: ceiling === null ? null : decimal(ceiling),
    levels: [],
    boosts: [],
    triggers: triggers.map((one, index) => (one.id === '' ? { ...one, id: `t${index + 1}` } : one)),
    ...fields,
  };
}

/** Version 1, in UTC. */
export function program(
  systems: System | readonly System[],
  timeZone = 'UTC',
  rest: Partial<Pick<Program, 'version' | 'streak' | 'achievements'>> = {},
): Program {
  return {
    version: 1,
    timeZone,
    systems: 'id' in systems ? [systems] : systems,
    streak: null,
    achievements: [],
    ...rest,
  };
}

export function counter(total: Written, high: Written = total): Counter {
  const atLeastZero = decimal(high) < 0n ? 0n : decimal(high);
  return { total: decimal(total), high: atLeastZero };
}

export function account(balance: number | bigint, earned = balance, version: number | bigint = 1): Account {
  return { balance: BigInt(balance), earned: BigInt(earned) < 0n ? 0n : BigInt(earned), version: BigInt(version) };
}

/** A user without a past, an attribute or a zone, but for what is given; `balance` is of the system `xp`. */
export function user(given: Partial<UserState> & { balance?: number | bigint; zone?: string } = {}): UserState {
  const { balance, zone, ...fields } = given;
  return {
    attributes: {},
    zones: zone === undefined ? [] : [{ from: 0, zone }],
    boosts: [],
    counter: counter(0),
    triggerCounters: new Map(),
    usage: new Map(),
    accounts: balance === undefined ? new Map() : new Map([['xp', account(balance)]]),
    runs: [],
    completed: new Set(),
    rewarded: new Set(),
    ...fields,
  };
}

/** Of the metric `lessons`, at `NOON`. */
export function event(value: Written, attributes: Attributes = {}, at: Instant | string = NOON): MetricEvent {
  const when = typeof at === 'string' ? instant(at) : at;
  return { metricId: 'lessons', value: decimal(value), attributes, at: when };
}

/** The decision, which must not be a refusal. */
export function applied(decision: Decision): Applied {
  if (decision.outcome === 'refused') throw new Error(`refused: ${decision.code}`);
  return decision;
}

/** The refusal, which must not be anything else. */
export function refused(decision: Decision): Refused {
  if (decision.outcome === 'applied') throw new Error('applied');
  return decision;
}

/** What the fired triggers posted together. */
export function posted(decision: Decision): bigint {
  if (decision.outcome === 'refused') return 0n;
  return decision.fired.reduce((sum, { amount }) => sum + amount, 0n);
}

/** The state after a decision; a refusal leaves it as it is. Limits count where the program is given. */
export function evolve(state: UserState, decision: Decision, rules?: Program, at?: Instant): UserState {
  if (decision.outcome === 'refused') return state;
  const triggerCounters = new Map(state.triggerCounters);
  for (const { triggerId, counter } of [...decision.fired, ...decision.notFired]) {
    if (counter !== undefined) triggerCounters.set(triggerId, counter.after);
  }
  const accounts = new Map(state.accounts);
  for (const { systemId, after } of decision.systems) accounts.set(systemId, after);
  const usage = new Map(state.usage);
  for (const { triggerId, held, amount } of decision.fired) {
    const paid = rules?.systems.flatMap((each) => each.triggers).find(({ id }) => id === triggerId);
    if (paid?.type !== 'metric' || held === undefined || amount === 0n || at === undefined) continue;
    for (const [slot, after] of countUsage(paid, held, amount, at)) usage.set(usageKey(triggerId, slot), after);
  }
  const rewarded = new Set(state.rewarded);
  for (const { systemId, levelKey } of decision.rewards) rewarded.add(levelName(systemId, levelKey));
  const { streak } = decision;
  const absorbed = streak?.before.map(({ first }) => first) ?? [];
  const runs =
    streak === null ? state.runs : [...state.runs.filter(({ first }) => !absorbed.includes(first)), streak.after];
  const completed = new Set([...state.completed, ...decision.completed.map(({ achievementId }) => achievementId)]);
  return { ...state, counter: decision.counter.after, triggerCounters, usage, accounts, runs, completed, rewarded };
}

/** Applies events one after another. */
export function play(rules: Program, start: UserState, events: readonly MetricEvent[]) {
  let state = start;
  const decisions = events.map((one) => {
    const decision = decide(rules, state, one);
    state = evolve(state, decision, rules, one.at);
    return decision;
  });
  return { state, decisions };
}

/** All that is known of the user from what a decision keeps: the state to decide the event from again. */
export function recall(kept: Applied, at: Instant): UserState {
  const counters = [...kept.fired, ...kept.notFired].flatMap(({ triggerId, counter }): [string, Counter][] =>
    counter === undefined ? [] : [[triggerId, counter.before]],
  );
  const attributes = Object.entries(kept.consulted).filter((entry): entry is [string, string] => entry[1] !== null);
  return {
    attributes: Object.fromEntries(attributes),
    zones: kept.zone === null ? [] : [{ from: at, zone: kept.zone }],
    boosts: kept.userBoosts,
    counter: kept.counter.before,
    triggerCounters: new Map(counters),
    usage: new Map(
      kept.fired.flatMap(({ triggerId, held }) =>
        [...(held?.usage ?? [])].map(([slot, paid]) => [usageKey(triggerId, slot), paid] as const),
      ),
    ),
    accounts: new Map(kept.systems.map(({ systemId, before }) => [systemId, before])),
    runs: kept.streak?.before ?? [],
    completed: new Set(),
    rewarded: new Set(kept.again),
  };
}

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Pago_Pago', 'Pacific/Kiritimati'];
const SPAN = { min: instant('2026-03-27T00:00:00Z'), max: instant('2026-04-02T00:00:00Z') };

/** Half of them whole, half with fraction digits, small enough that programs of small numbers react to them. */
export function anyDecimal(min: number, max: number): fc.Arbitrary<Decimal> {
  const whole = fc.integer({ min, max }).map((number) => BigInt(number) * DECIMAL_ONE);
  return fc.oneof(whole, fc.bigInt({ min: BigInt(min) * DECIMAL_ONE, max: BigInt(max) * DECIMAL_ONE }));
}

/** An instant within six days that hold a change of clocks. */
export const anyInstant: fc.Arbitrary<Instant> = fc.integer(SPAN);
export const anyZone: fc.Arbitrary<string> = fc.constantFrom(...ZONES);

/** Of few keys and values, so that filters often match; some keys have a meaning of their own in JavaScript. */
export const anyAttributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.constantFrom('plan', 'mode', 'constructor'),
  fc.constantFrom('free', 'pro'),
  { maxKeys: 2, noNullPrototype: true },
);

const someFilters = fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, anyAttributes);

export const anyTrigger: fc.Arbitrary<Trigger> = fc
  .record({
    active: fc.boolean(),
    threshold: anyDecimal(1, 5),
    points: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) }, fc.integer({ min: -9, max: -1 })),
    onFloor: fc.constantFrom('refuse' as const, 'clamp' as const, 'allow' as const),
    user: someFilters,
    event: someFilters,
    metricId: fc.constantFrom('lessons', 'lessons', 'lessons', 'minutes'),
  })
  .map(({ threshold, points, ...rest }) => trigger(threshold, points, rest));

const anyDay = fc.integer({ min: 26, max: 33 }).map((day) => (day > 31 ? `2026-04-0${day - 31}` : `2026-03-${day}`));
const anyWindow: fc.Arbitrary<InstantWindow | DateWindow> = fc.oneof(
  fc.constant(ALWAYS),
  fc
    .record({ startTime: anyInstant, endTime: fc.option(anyInstant) })
    .map((edges): InstantWindow => ({ kind: 'instants', ...edges })),
  fc
    .record({ start: anyDay, end: fc.option(anyDay), zone: fc.constantFrom('user' as const, 'project' as const) })
    .map((days): DateWindow => ({ kind: 'dates', ...days })),
);

export const anyBoost: fc.Arbitrary<Boost> = fc
  .record({
    id: fc.uuid(),
    multiplier: anyDecimal(0, 4).map((multiplier) => (multiplier === 0n ? 2n * DECIMAL_ONE : multiplier)),
    rounding: fc.constantFrom('down' as const, 'up' as const, 'nearest' as const),
    exclusive: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
    user: someFilters,
    window: anyWindow,
  })
  .map(({ multiplier, ...rest }) => boost(multiplier, rest));

function anySystem(id: string): fc.Arbitrary<System> {
  const triggers = fc.array(anyTrigger, { minLength: 1, maxLength: 4 });
  const rest = fc.record({
    max: fc.option(fc.integer({ min: 1, max: 150 })),
    min: fc.option(fc.integer({ min: -10, max: 10 })),
    ceiling: fc.option(anyDecimal(1, 6)),
    levelBasis: fc.constantFrom('balance' as const, 'earned' as const),
    levels: fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 4 }).map(toLevels),
    boosts: fc.array(anyBoost, { maxLength: 3 }),
  });
  return fc.tuple(triggers, rest).map(([list, fields]) =>
    system(
      list.map((one, index) => ({ ...one, id: `${id}-t${index}` })),
      { id, ...fields },
    ),
  );
}

function toLevels(thresholds: number[]): Level[] {
  return thresholds.sort((a, b) => a - b).map((points) => level(`level-${points}`, points));
}

/** One or two systems with everything in them. */
export const anyProgram: fc.Arbitrary<Program> = fc
  .tuple(fc.oneof(fc.tuple(anySystem('xp')), fc.tuple(anySystem('xp'), anySystem('coins'))), anyZone)
  .map(([systems, zone]) => program(systems, zone));

/** A user without a past, with attributes, perhaps a zone, and boosts of their own. */
export const anyUser: fc.Arbitrary<UserState> = fc
  .record({
    attributes: anyAttributes,
    zones: fc.option(anyZone).map((zone) => (zone === null ? [] : [{ from: 0, zone }])),
    boosts: fc.array(
      fc.tuple(anyBoost, fc.constantFrom('xp', 'coins')).map(([one, systemId]): UserBoost => ({ ...one, systemId })),
      { maxLength: 2 },
    ),
  })
  .map((fields) => user(fields));

export const anyEvent: fc.Arbitrary<MetricEvent> = fc
  .record({ value: anyDecimal(-6, 12), attributes: anyAttributes, at: anyInstant })
  .map(({ value, attributes, at }) => event(value, attributes, at));

export const anyEvents: fc.Arbitrary<MetricEvent[]> = fc.array(anyEvent, { minLength: 1, maxLength: 12 });
