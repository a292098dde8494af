import { applicable, multiply, windowZone } from './boost.ts';
import { DECIMAL_LIMIT, floorDivide, formatDecimal } from './decimal.ts';
import { firstMismatch } from './filter.ts';
import { levelOf } from './level.ts';
import { applyFloor, clampToCap, post } from './limit.ts';
import type {
  Account,
  Boost,
  Counter,
  Decision,
  Fired,
  MetricEvent,
  NotFired,
  Program,
  RefusalCode,
  Refused,
  System,
  SystemChange,
  Trigger,
  UserBoost,
  UserState,
} from './types.ts';

const EMPTY_COUNTER: Counter = { total: 0n, high: 0n };
const EMPTY_ACCOUNT: Account = { balance: 0n, earned: 0n, version: 0n };

/**
 * Decides one event from data alone: the same program, state and event give the same decision, for ever.
 * The rules in prose: README.md in this folder.
 */
export function decide(program: Program, state: UserState, event: MetricEvent): Decision {
  const counter = advance(state.counter, event.value);
  if (counter === null) return outOfRange(program, state.counter, event);
  const fired: Fired[] = [];
  const notFired: NotFired[] = [];
  const systems: SystemChange[] = [];
  const asked: Asked = { keys: new Set(), zone: null, boosts: [] };
  for (const system of program.systems) {
    const before = state.accounts.get(system.id) ?? EMPTY_ACCOUNT;
    let account = before;
    let touched = false;
    let boosts: readonly Boost[] | undefined;
    for (const trigger of system.triggers) {
      if (trigger.metricId !== event.metricId) continue;
      const looked = lookAt(system, trigger, state, event, { before: state.counter, after: counter }, asked);
      if (looked === null) return outOfRange(program, state.triggerCounters.get(trigger.id) ?? EMPTY_COUNTER, event);
      if (looked.notFired !== undefined) {
        notFired.push(looked.notFired);
        continue;
      }
      if (trigger.points > 0n) boosts ??= boostsOf(program, system, state, event, asked);
      const award = weigh(system, trigger, looked.fires, account, boosts ?? []);
      if ('code' in award) return refuse(program, award.code, award.detail);
      account = award.account;
      touched = true;
      fired.push(looked.counter === undefined ? award.fired : { ...award.fired, counter: looked.counter });
    }
    if (touched) systems.push(describeChange(system, before, account));
  }
  return {
    outcome: 'applied',
    programVersion: program.version,
    counter: { before: state.counter, after: counter },
    fired,
    notFired,
    systems,
    consulted: Object.fromEntries([...asked.keys].sort().map((key) => [key, attributeOf(state, key)])),
    userBoosts: asked.boosts,
    zone: asked.zone,
  };
}

/** Own keys only: an attribute may be called `constructor`. */
function attributeOf(state: UserState, key: string): string | null {
  return Object.hasOwn(state.attributes, key) ? (state.attributes[key] ?? null) : null;
}

/** Null when the total leaves its range. */
function advance(counter: Counter, value: bigint): Counter | null {
  const total = counter.total + value;
  if (total >= DECIMAL_LIMIT || total <= -DECIMAL_LIMIT) return null;
  return { total, high: total > counter.high ? total : counter.high };
}

/** What of the user the rules looked at, so that the decision can be made again without the rest. */
interface Asked {
  keys: Set<string>;
  zone: string | null;
  boosts: UserBoost[];
}

interface CounterChange {
  before: Counter;
  after: Counter;
}

type Looked = { notFired: NotFired } | { fires: bigint; notFired?: undefined; counter: CounterChange | undefined };

function lookAt(
  system: System,
  trigger: Trigger,
  state: UserState,
  event: MetricEvent,
  metric: CounterChange,
  asked: Asked,
): Looked | null {
  const base = { triggerId: trigger.id, systemId: system.id };
  const eventClause = firstMismatch(trigger.eventAttributes, event.attributes);
  if (eventClause !== undefined) {
    return { notFired: { ...base, why: 'event_attributes', clause: eventClause } };
  }
  const own = trigger.eventAttributes.length > 0 ? ownCounter(trigger, state, event) : undefined;
  if (own === null) return null;
  const withCounter = own === undefined ? base : { ...base, counter: own };
  if (!trigger.active) return { notFired: { ...withCounter, why: 'inactive' } };
  for (const filter of trigger.userAttributes) asked.keys.add(filter.key);
  const userClause = firstMismatch(trigger.userAttributes, state.attributes);
  if (userClause !== undefined) {
    return { notFired: { ...withCounter, why: 'user_attributes', clause: userClause } };
  }
  const { before, after } = own ?? metric;
  const fires = floorDivide(after.high, trigger.threshold) - floorDivide(before.high, trigger.threshold);
  if (fires === 0n) return { notFired: { ...withCounter, why: 'below_threshold' } };
  return { fires, counter: own };
}

function ownCounter(trigger: Trigger, state: UserState, event: MetricEvent): CounterChange | null {
  const before = state.triggerCounters.get(trigger.id) ?? EMPTY_COUNTER;
  const after = advance(before, event.value);
  return after === null ? null : { before, after };
}

function boostsOf(
  program: Program,
  system: System,
  state: UserState,
  event: MetricEvent,
  asked: Asked,
): readonly Boost[] {
  const ofSystem = state.boosts.filter((boost) => boost.systemId === system.id);
  const own = applicable(ofSystem, state, event.at, program.timeZone);
  asked.boosts.push(...own);
  for (const boost of [...system.boosts, ...own]) {
    for (const filter of boost.userAttributes) asked.keys.add(filter.key);
    if (boost.window.kind === 'dates' && boost.window.zone === 'user') {
      asked.zone ??= windowZone(boost.window, state.zones, event.at, program.timeZone);
    }
  }
  return [...applicable(system.boosts, state, event.at, program.timeZone), ...own];
}

type Weighed = { fired: Fired; account: Account } | { code: RefusalCode; detail: Readonly<Record<string, string>> };

/** From `fires` to the posting: boosts, then cap or floor, then the range of the account. */
function weigh(system: System, trigger: Trigger, fires: bigint, account: Account, boosts: readonly Boost[]): Weighed {
  const base = fires * trigger.points;
  const product = base > 0n ? multiply(base, boosts, system.boostCeiling) : multiply(base, [], null);
  const limited =
    base > 0n
      ? clampToCap(system, account.balance, product.boosted)
      : applyFloor(system, trigger, account.balance, base);
  const detail = { system: system.key, trigger: trigger.id, balance: account.balance.toString() };
  if (limited === null) {
    return { code: 'OUT_OF_POINTS', detail: { ...detail, needed: (-base).toString() } };
  }
  const after = post(account, limited.amount);
  if (after === null) {
    return { code: 'BALANCE_OUT_OF_RANGE', detail: { ...detail, amount: limited.amount.toString() } };
  }
  const fired = {
    triggerId: trigger.id,
    systemId: system.id,
    fires,
    base,
    ...product,
    ...limited,
    balanceAfter: after.balance,
    version: limited.amount === 0n ? null : after.version,
  };
  return { fired, account: after };
}

function describeChange(system: System, before: Account, after: Account): SystemChange {
  return {
    systemId: system.id,
    before,
    after,
    levelBefore: levelOf(system, before)?.key ?? null,
    levelAfter: levelOf(system, after)?.key ?? null,
  };
}

function outOfRange(program: Program, counter: Counter, event: MetricEvent): Refused {
  const detail = { totalBefore: formatDecimal(counter.total), value: formatDecimal(event.value) };
  return refuse(program, 'TOTAL_OUT_OF_RANGE', detail);
}

function refuse(program: Program, code: RefusalCode, detail: Readonly<Record<string, string>>): Refused {
  return { outcome: 'refused', code, programVersion: program.version, detail };
}
