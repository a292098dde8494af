import { eventHash } from '../ledger/hash.ts';
import { pairKey } from '../ledger/load.ts';
import type { EventRow, UserRow } from '../ledger/rows.ts';
import { decide } from '../rules/decide.ts';
import { formatDecimal, parseDecimal } from '../rules/decimal.ts';
import type { Applied, Fired } from '../rules/decision.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { countUsage, usageKey } from '../rules/quota.ts';
import { toRecord } from '../rules/record.ts';
import { isExtended } from '../rules/streak.ts';
import type { Counter, Trigger, Usage, UserBoost } from '../rules/types.ts';
import type { EventCommand } from './command.ts';
import type { EventOutcome, Outcome } from './outcome.ts';
import { saveUser, withProfile } from './profile.ts';
import { addAwards, addCompletion, changeAccount, pick, refuse, type State, userKey } from './state.ts';
import { changeRuns } from './streaks.ts';

export function decideEvent(
  state: State,
  index: ProgramIndex,
  command: EventCommand,
  boosts: readonly UserBoost[],
): Outcome {
  const before = state.users.get(userKey(command)) as UserRow;
  const user = withProfile(before, command, { now: state.now, projectZone: index.program.timeZone });
  const counter = state.totals.get(pairKey(user.id, command.metricId)) as Counter;
  const touched = index.touchedBy(command.metricId);
  const decision = decide(
    index.program,
    {
      attributes: user.attributes,
      zones: user.zones,
      boosts,
      counter,
      triggerCounters: pick(state.triggerCounters, user.id, touched.countingTriggerIds),
      usage: state.usage.get(userKey(command)) ?? new Map(),
      accounts: pick(state.accounts, user.id, [...touched.systemIds, ...index.creationSystemIds]),
      runs: state.runs.get(userKey(command)) ?? [],
      completed: state.completed.get(userKey(command)) ?? new Set(),
      rewarded: state.rewarded.get(userKey(command)) ?? new Set(),
    },
    {
      metricId: command.metricId,
      value: parseDecimal(command.value),
      attributes: command.attributes,
      at: command.occurredAt,
      ...(before.createdAt === null && { created: command.receivedAt }),
    },
  );
  if (decision.outcome === 'refused') return refuse(state, user.id, command, decision);
  return applyEvent(state, index, user, command, decision);
}

/** From here on nothing refuses: the decision is written into the state and the postings. */
function applyEvent(
  state: State,
  index: ProgramIndex,
  user: UserRow,
  command: EventCommand,
  decision: Applied,
): EventOutcome {
  const { before, after } = decision.counter;
  const row: Omit<EventRow, 'hash'> = {
    userId: user.id,
    id: command.id,
    seq: user.seq + 1n,
    metricId: command.metricId,
    keyed: command.key !== null,
    key: command.key ?? command.id,
    value: command.value,
    attributes: command.attributes,
    occurredAt: command.occurredAt,
    occurredAtSent: command.occurredAtSent,
    receivedAt: command.receivedAt,
    createdAt: state.now,
    totalBefore: formatDecimal(before.total),
    totalAfter: formatDecimal(after.total),
    highBefore: formatDecimal(before.high),
    highAfter: formatDecimal(after.high),
    programVersion: decision.programVersion,
    decision: toRecord(decision),
  };
  const event = { ...row, hash: eventHash(user.eventHash, row) };
  state.postings.events.push(event);
  const saved = { ...user, seq: event.seq, eventHash: event.hash };
  saveUser(state, saved, command);
  if (decision.streak !== null && isExtended(decision.streak)) {
    const { occurredAt: at, receivedAt } = command;
    changeRuns(state, index, saved, decision.streak, { at, now: Math.max(at, receivedAt) });
  }
  for (const completion of decision.completed) {
    const { occurredAt: at } = command;
    addCompletion(state, saved, completion, { command, at, programVersion: decision.programVersion, decision: null });
  }
  state.totals.set(pairKey(user.id, command.metricId), after);
  state.changed.totals.set(pairKey(user.id, command.metricId), { userId: user.id, metricId: command.metricId });
  for (const item of [...decision.fired, ...decision.notFired]) {
    if (item.counter === undefined) continue;
    state.triggerCounters.set(pairKey(user.id, item.triggerId), item.counter.after);
  }
  for (const fired of decision.fired) {
    if (fired.version !== null) use(state, user, command, index.triggerById.get(fired.triggerId) as Trigger, fired);
  }
  addAwards(state, index, user, decision, { eventId: command.id, commandId: null, at: command.occurredAt });
  const cause = { kind: 'event' as const, id: command.id, program: decision.programVersion };
  for (const change of decision.systems) changeAccount(state, user, change, cause);
  return {
    status: 'applied',
    kind: 'event',
    eventId: command.id,
    total: event.totalAfter,
    occurredAt: command.occurredAt,
    programVersion: decision.programVersion,
    decision: event.decision,
  };
}

/** Counts an award in the slots of its trigger's limits. */
function use(state: State, user: UserRow, command: EventCommand, trigger: Trigger, fired: Fired): void {
  if (trigger.type !== 'metric' || fired.held === undefined) return;
  const own = state.usage.get(userKey(command)) ?? new Map<string, Usage>();
  state.usage.set(userKey(command), own);
  for (const [slot, usage] of countUsage(trigger, fired.held, fired.amount, command.occurredAt)) {
    const key = usageKey(trigger.id, slot);
    own.set(key, usage);
    state.changed.usage.set(`${user.id} ${key}`, { userId: user.id, triggerId: trigger.id, slot, ...usage });
  }
}
