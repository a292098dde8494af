import { changeOf, EMPTY_ACCOUNT } from './account.ts';
import { applicable, multiply, windowZone } from './boost.ts';
import { completionsOf, isFor, streakOf } from './complete.ts';
import { formatDecimal } from './decimal.ts';
import type { Decision, Fired, Held, NotFired, RefusalCode, Refused } from './decision.ts';
import { applyFloor, clampToCap, post } from './limit.ts';
import { type Asked, advance, EMPTY_COUNTER, lookAt, type Occasion } from './look.ts';
import { holdBack, isLimited, needsZone, usageKey } from './quota.ts';
import { giveRewards } from './reward.ts';
import type { Account, Boost, Counter, Instant, MetricEvent, Program, System, Trigger, UserState } from './types.ts';
import { zoneAt } from './zone.ts';

/**
 * Decides one event from data alone: the same program, state and event give the same decision, for ever.
 * The rules in prose: README.md in this folder.
 */
export function decide(program: Program, state: UserState, event: MetricEvent): Decision {
  const after = advance(state.counter, event.value);
  if (after === null) return outOfRange(program, state.counter, event);
  const asked = nothingAsked();
  const streak = streakOf(program, state, event, asked);
  const occasion = { ...event, counter: { before: state.counter, after }, streak };
  const completed = completionsOf(program, state, occasion, asked);
  return run(program, state, { ...occasion, completed }, asked);
}

const NO_EVENT = {
  metricId: null,
  value: 0n,
  attributes: {},
  counter: { before: EMPTY_COUNTER, after: EMPTY_COUNTER },
  streak: null,
};

/** Decides what a user gets for becoming known without an event. */
export function decideCreation(program: Program, state: UserState, at: Instant): Decision {
  return run(program, state, { ...NO_EVENT, at, created: at, completed: [] }, nothingAsked());
}

/** Decides what a user gets for an achievement that the app completes; `created`: the user becomes known by it. */
export function decideCompletion(
  program: Program,
  state: UserState,
  achievementId: string,
  { at, created }: { at: Instant; created: boolean },
): Decision {
  const asked = nothingAsked();
  const achievement = program.achievements.find(({ id }) => id === achievementId);
  if (achievement === undefined) return refuse(program, 'ACHIEVEMENT_UNKNOWN', {});
  const { key, active, rule } = achievement;
  if (!active || rule.type !== 'api' || !isFor(achievement, state, asked)) {
    const why = !active ? 'inactive' : rule.type !== 'api' ? 'rule' : 'user_attributes';
    return refuse(program, 'ACHIEVEMENT_NOT_FOR_USER', { achievement: key, why });
  }
  const completed = [{ achievementId, backdated: false }];
  return run(program, state, { ...NO_EVENT, at, ...(created && { created: at }), completed }, asked);
}

function nothingAsked(): Asked {
  return { keys: new Set(), zone: null, boosts: [], created: null };
}

function run(program: Program, state: UserState, event: Occasion, asked: Asked): Decision {
  const fired: Fired[] = [];
  const notFired: NotFired[] = [];
  const accounts = new Map(state.accounts);
  const touched = new Set<string>();
  for (const system of program.systems) {
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
      const account = accounts.get(system.id) ?? EMPTY_ACCOUNT;
      const award = weigh(program, system, trigger, looked.fires, { account, boosts, state, event, asked });
      if ('code' in award) return refuse(program, award.code, award.detail);
      accounts.set(system.id, award.account);
      touched.add(system.id);
      fired.push({
        ...award.fired,
        ...(looked.counter !== undefined && { counter: looked.counter }),
        ...(at !== event.at && { at }),
      });
    }
  }
  const before = (systemId: string) => state.accounts.get(systemId) ?? EMPTY_ACCOUNT;
  const risen = [...touched].map((systemId) => ({ systemId, before: before(systemId) }));
  const { rewards, again } = giveRewards(program, accounts, risen, state.rewarded);
  for (const { targetId } of rewards) touched.add(targetId);
  return {
    outcome: 'applied',
    programVersion: program.version,
    counter: event.counter,
    fired,
    notFired,
    rewards,
    again,
    systems: program.systems
      .filter(({ id }) => touched.has(id))
      .map((system) => changeOf(system, before(system.id), accounts.get(system.id) ?? EMPTY_ACCOUNT)),
    consulted: consultedOf(state, asked),
    userBoosts: asked.boosts,
    zone: asked.zone,
    created: asked.created,
    streak: event.streak,
    completed: event.completed,
  };
}

/** User attributes that filters asked for. */
function consultedOf(state: UserState, { keys }: Asked): Readonly<Record<string, string | null>> {
  return Object.fromEntries([...keys].sort().map((key) => [key, attributeOf(state, key)]));
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

function outOfRange(program: Program, counter: Counter, event: Pick<MetricEvent, 'value'>): Refused {
  const detail = { totalBefore: formatDecimal(counter.total), value: formatDecimal(event.value) };
  return refuse(program, 'TOTAL_OUT_OF_RANGE', detail);
}

function refuse(program: Program, code: RefusalCode, detail: Readonly<Record<string, string>>): Refused {
  return { outcome: 'refused', code, programVersion: program.version, detail };
}
