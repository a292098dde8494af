import { applicable, multiply, windowZone } from './boost.ts';
import { formatDecimal } from './decimal.ts';
import { levelOf } from './level.ts';
import { applyFloor, clampToCap, post } from './limit.ts';
import { type Asked, advance, EMPTY_COUNTER, lookAt, type Occasion } from './look.ts';
import { holdBack, isLimited, needsZone, usageKey } from './quota.ts';
import type {
  Account,
  Boost,
  Counter,
  Decision,
  Fired,
  Held,
  Instant,
  MetricEvent,
  NotFired,
  Program,
  RefusalCode,
  Refused,
  System,
  SystemChange,
  Trigger,
  UserState,
} from './types.ts';
import { zoneAt } from './zone.ts';

const EMPTY_ACCOUNT: Account = { balance: 0n, earned: 0n, version: 0n };

/**
 * Decides one event from data alone: the same program, state and event give the same decision, for ever.
 * The rules in prose: README.md in this folder.
 */
export function decide(program: Program, state: UserState, event: MetricEvent): Decision {
  const counter = advance(state.counter, event.value);
  if (counter === null) return outOfRange(program, state.counter, event);
  return run(program, state, { ...event, counter: { before: state.counter, after: counter } });
}

/** Decides what a user gets for becoming known without an event. */
export function decideCreation(program: Program, state: UserState, at: Instant): Decision {
  const counter = { before: EMPTY_COUNTER, after: EMPTY_COUNTER };
  return run(program, state, { metricId: null, value: 0n, attributes: {}, at, created: at, counter });
}

function run(program: Program, state: UserState, event: Occasion): Decision {
  const fired: Fired[] = [];
  const notFired: NotFired[] = [];
  const systems: SystemChange[] = [];
  const asked: Asked = { keys: new Set(), zone: null, boosts: [], created: null };
  for (const system of program.systems) {
    const before = state.accounts.get(system.id) ?? EMPTY_ACCOUNT;
    let account = before;
    let touched = false;
    const boostsAt = new Map<Instant, readonly Boost[]>();
    for (const trigger of system.triggers) {
      const looked = lookAt(system, trigger, state, event, asked);
      if (looked === 'passed over') continue;
      if (looked === 'out of range') {
        return outOfRange(program, state.triggerCounters.get(trigger.id) ?? EMPTY_COUNTER, event);
      }
      if (looked.notFired !== undefined) {
        notFired.push(looked.notFired);
        continue;
      }
      const { at } = looked;
      if (trigger.points > 0n && !boostsAt.has(at)) boostsAt.set(at, boostsOf(program, system, state, at, asked));
      const boosts = boostsAt.get(at) ?? [];
      const award = weigh(program, system, trigger, looked.fires, { account, boosts, state, event, asked });
      if ('code' in award) return refuse(program, award.code, award.detail);
      account = award.account;
      touched = true;
      fired.push({
        ...award.fired,
        ...(looked.counter !== undefined && { counter: looked.counter }),
        ...(at !== event.at && { at }),
      });
    }
    if (touched) systems.push(describeChange(system, before, account));
  }
  return {
    outcome: 'applied',
    programVersion: program.version,
    counter: event.counter,
    fired,
    notFired,
    systems,
    consulted: Object.fromEntries([...asked.keys].sort().map((key) => [key, attributeOf(state, key)])),
    userBoosts: asked.boosts,
    zone: asked.zone,
    created: asked.created,
  };
}

/** Own keys only: an attribute may be called `constructor`. */
function attributeOf(state: UserState, key: string): string | null {
  return Object.hasOwn(state.attributes, key) ? (state.attributes[key] ?? null) : null;
}

function boostsOf(program: Program, system: System, state: UserState, at: Instant, asked: Asked): readonly Boost[] {
  const ofSystem = state.boosts.filter((boost) => boost.systemId === system.id);
  const own = applicable(ofSystem, state, at, program.timeZone);
  asked.boosts.push(...own.filter((boost) => !asked.boosts.includes(boost)));
  for (const boost of [...system.boosts, ...own]) {
    for (const filter of boost.userAttributes) asked.keys.add(filter.key);
    if (boost.window.kind === 'dates' && boost.window.zone === 'user') {
      asked.zone ??= windowZone(boost.window, state.zones, at, program.timeZone);
    }
  }
  return [...applicable(system.boosts, state, at, program.timeZone), ...own];
}

type Weighed = { fired: Fired; account: Account } | { code: RefusalCode; detail: Readonly<Record<string, string>> };

interface Weighing {
  account: Account;
  boosts: readonly Boost[];
  state: UserState;
  event: Occasion;
  asked: Asked;
}

/** From `fires` to the posting: boosts, limits, then cap or floor, then the range of the account. */
function weigh(program: Program, system: System, trigger: Trigger, fires: bigint, weighing: Weighing): Weighed {
  const { account, boosts } = weighing;
  const base = fires * trigger.points;
  const product = base > 0n ? multiply(base, boosts, system.boostCeiling) : multiply(base, [], null);
  const { allowed, held } = limit(program, trigger, product.boosted, weighing);
  const limited =
    allowed === 0n && product.boosted !== 0n
      ? { amount: 0n, withheld: 0n, room: null }
      : allowed >= 0n
        ? clampToCap(system, account.balance, allowed)
        : applyFloor(system, trigger, account.balance, allowed);
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
    withheld: product.boosted - limited.amount,
    ...(held !== undefined && { held }),
    balanceAfter: after.balance,
    version: limited.amount === 0n ? null : after.version,
  };
  return { fired, account: after };
}

/** What the trigger's own limits leave of an award; of one without limits everything. */
function limit(
  program: Program,
  trigger: Trigger,
  points: bigint,
  { state, event, asked }: Weighing,
): { allowed: bigint; held?: Held } {
  if (trigger.type !== 'metric' || !isLimited(trigger.limits)) return { allowed: points };
  const zone = zoneAt(state.zones, event.at) ?? program.timeZone;
  if (needsZone(trigger.limits)) asked.zone ??= zone;
  return holdBack(trigger, points, event, zone, (slot) => state.usage.get(usageKey(trigger.id, slot)));
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

function outOfRange(program: Program, counter: Counter, event: Pick<MetricEvent, 'value'>): Refused {
  const detail = { totalBefore: formatDecimal(counter.total), value: formatDecimal(event.value) };
  return refuse(program, 'TOTAL_OUT_OF_RANGE', detail);
}

function refuse(program: Program, code: RefusalCode, detail: Readonly<Record<string, string>>): Refused {
  return { outcome: 'refused', code, programVersion: program.version, detail };
}
