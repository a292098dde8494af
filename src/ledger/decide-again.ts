import { decide, decideCompletion, decideCreation } from '../rules/decide.ts';
import { parseDecimal } from '../rules/decimal.ts';
import type { Applied, Decision, Fired } from '../rules/decision.ts';
import { EMPTY_COUNTER } from '../rules/look.ts';
import { usageKey } from '../rules/quota.ts';
import { type DecisionRecord, fromRecord, toRecord } from '../rules/record.ts';
import { settle } from '../rules/settlement.ts';
import { fromSettlementRecord, type SettlementRecord, toSettlementRecord } from '../rules/settlement-record.ts';
import type { Account, Attributes, Counter, Program, Usage, UserState } from '../rules/types.ts';
import type { CommandDecision } from './chains.ts';
import type { EventRow } from './rows.ts';

// Decides again what was decided, from what is stored with it.

type Completed = ReadonlySet<string>;

/** `completed`: the achievements that the user had completed before. */
export function decideEventAgain(event: EventRow, program: Program, completed: Completed): DecisionRecord | string {
  const stored = decisionOf(event);
  const decision = decide(program, stateBefore(stored, completed), {
    metricId: event.metricId,
    value: parseDecimal(event.value),
    attributes: event.attributes,
    at: event.occurredAt,
    ...(stored.created !== null && { created: stored.created }),
  });
  return recordOf(decision);
}

/** What the user got for becoming known without an event. */
export function createAgain(creation: CommandDecision, program: Program): DecisionRecord | string {
  const stored = commandDecision(creation);
  return recordOf(decideCreation(program, stateBefore(stored, new Set()), creation.at));
}

/** What the user got for an achievement that the app completed. */
export function completeAgain(
  completion: CommandDecision & { achievementId: string },
  program: Program,
): DecisionRecord | string {
  const stored = commandDecision(completion);
  const { at, achievementId } = completion;
  const options = { at, created: stored.created !== null };
  return recordOf(decideCompletion(program, stateBefore(stored, new Set()), achievementId, options));
}

/** What was due by the clock; `programs` are those that the record names. */
export function settleAgain(record: SettlementRecord, programs: ReadonlyMap<number, Program>): SettlementRecord | null {
  const stored = fromSettlementRecord(record);
  const { created, consulted, zones, userBoosts: boosts, systems, clocks, again, until } = stored;
  const { settlement } = settle(
    [...clocks.keys()],
    stored.eras.map(({ version, from }) => ({ program: programs.get(version) as Program, from })),
    { created, attributes: had(consulted), zones, boosts },
    { accounts: new Map(systems.map((change) => [change.systemId, change.before])), clocks, rewarded: new Set(again) },
    until,
  );
  return settlement && toSettlementRecord(settlement);
}

export function decisionOf(event: EventRow): Applied {
  return fromRecord(event.decision, {
    programVersion: event.programVersion,
    counter: {
      before: { total: parseDecimal(event.totalBefore), high: parseDecimal(event.highBefore) },
      after: { total: parseDecimal(event.totalAfter), high: parseDecimal(event.highAfter) },
    },
  });
}

export function commandDecision({ decision, programVersion }: CommandDecision): Applied {
  return fromRecord(decision, { programVersion, counter: { before: EMPTY_COUNTER, after: EMPTY_COUNTER } });
}

function recordOf(decision: Decision): DecisionRecord | string {
  return decision.outcome === 'applied' ? toRecord(decision) : decision.code;
}

/** Of the user's state, all that a decision looked at. */
function stateBefore(stored: Applied, completed: Completed): UserState {
  const accounts = new Map<string, Account>(stored.systems.map((change) => [change.systemId, change.before]));
  const counters = new Map<string, Counter>();
  for (const item of [...stored.fired, ...stored.notFired]) {
    if (item.counter !== undefined) counters.set(item.triggerId, item.counter.before);
  }
  return {
    attributes: had(stored.consulted),
    zones: stored.zone === null ? [] : [{ from: Number.MIN_SAFE_INTEGER, zone: stored.zone }],
    boosts: stored.userBoosts,
    counter: stored.counter.before,
    triggerCounters: counters,
    usage: usageBefore(stored.fired),
    accounts,
    runs: stored.streak?.before ?? [],
    completed,
    rewarded: new Set(stored.again),
  };
}

function had(consulted: Applied['consulted']): Attributes {
  const entries = Object.entries(consulted).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(entries);
}

function usageBefore(fired: readonly Fired[]): Map<string, Usage> {
  const usage = new Map<string, Usage>();
  for (const { triggerId, held } of fired) {
    for (const [slot, paid] of held?.usage ?? []) usage.set(usageKey(triggerId, slot), paid);
  }
  return usage;
}
