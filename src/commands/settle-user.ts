import type { IndexedEra } from '../db/programs.ts';
import type { LivedBoost } from '../ledger/boosts.ts';
import type { ClockRow, UserRow } from '../ledger/rows.ts';
import { EMPTY_ACCOUNT } from '../rules/account.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { boostForTicks, firstClock, outlook, type Settlement, settle } from '../rules/settlement.ts';
import { toSettlementRecord } from '../rules/settlement-record.ts';
import type { Era, TickRun, TimedUser } from '../rules/ticks.ts';
import type { Account, Instant } from '../rules/types.ts';
import type { Command } from './command.ts';
import type { Prepared } from './prepare.ts';
import { addEntry, addRewards, changeAccount, pick, type State, userKey } from './state.ts';

/**
 * Of the systems in force, those in which something may be due by any of these programs: in the order of their numbers,
 * which is that of the record.
 */
export function timedSystems(eras: readonly IndexedEra[], index: ProgramIndex): string[] {
  const ids = new Set(eras.flatMap((era) => era.index.timedSystemIds));
  return [...ids].filter((id) => index.systemById.has(id)).sort((a, b) => Number(a) - Number(b));
}

/**
 * Settles what is due by the clock for the user of a command, before the command itself is decided: by what the user was
 * until then.
 */
export function settleUser(state: State, prepared: Prepared, index: ProgramIndex, command: Command): void {
  const eras = prepared.eras.get(command.projectId);
  const user = state.users.get(userKey(command)) as UserRow;
  if (eras === undefined || user.createdAt === null) return;
  const systemIds = timedSystems(eras, index);
  const own = state.clocks.get(userKey(command)) ?? new Map();
  const settling = {
    accounts: pick(state.accounts, user.id, index.withRewards(systemIds)),
    clocks: own,
    rewarded: state.rewarded.get(userKey(command)) ?? new Set<string>(),
  };
  const { settlement, clocks } = settle(
    systemIds,
    eras.map(asEra),
    timedUser(user, user.createdAt, prepared.boosts.get(userKey(command)) ?? [], index),
    settling,
    command.receivedAt,
  );
  state.clocks.set(userKey(command), new Map([...own, ...clocks]));
  if (settlement !== null) postSettlement(state, user, settlement, { command, index });
}

export function asEra({ index, from }: IndexedEra): Era {
  return { program: index.program, from };
}

/** The user as ticks look at it. */
export function timedUser(
  user: Pick<UserRow, 'attributes' | 'zones'>,
  created: Instant,
  boosts: readonly LivedBoost[],
  { program }: ProgramIndex,
): TimedUser {
  const { attributes, zones } = user;
  return {
    created,
    attributes,
    zones,
    boosts: boosts.map((boost) => boostForTicks(boost, boost.lived, zones, program.timeZone)),
  };
}

function postSettlement(
  state: State,
  user: UserRow,
  settlement: Settlement,
  { command, index }: { command: Command; index: ProgramIndex },
): void {
  for (const run of settlement.runs) addTicks(state, user, run, command.id);
  const cause = { eventId: null, commandId: command.id, at: command.receivedAt };
  addRewards(state, user, settlement.rewards, cause);
  for (const change of settlement.systems)
    changeAccount(state, user, change, { kind: 'settlement', id: command.id, program: index.program.version });
  state.postings.settlements.push({
    userId: user.id,
    id: command.id,
    until: settlement.until,
    createdAt: state.now,
    afterSeq: user.seq,
    programVersion: index.program.version,
    record: toSettlementRecord(settlement),
  });
}

function addTicks(state: State, user: UserRow, run: TickRun, commandId: string): void {
  addEntry(state, {
    userId: user.id,
    systemId: run.systemId,
    version: run.version as bigint,
    kind: 'award',
    amount: run.amount,
    balanceAfter: run.balanceAfter,
    causeKey: `tick:${run.triggerId}:${run.at}`,
    eventId: null,
    triggerId: run.triggerId,
    commandId,
    occurredAt: run.at,
    createdAt: state.now,
  });
}

/** A user who becomes known has nothing due before. */
export function startClocks(state: State, prepared: Prepared, index: ProgramIndex, command: Command): void {
  const eras = prepared.eras.get(command.projectId);
  if (eras === undefined) return;
  const clocks = timedSystems(eras, index).map((id) => [id, firstClock(command.receivedAt)] as const);
  state.clocks.set(userKey(command), new Map(clocks));
}

/** The clocks of all users of the batch after its last command, with what is due next. */
export function clockRows(state: State, prepared: Prepared): ClockRow[] {
  return [...state.clocks].flatMap(([key, clocks]) => {
    const user = state.users.get(key);
    const eras = user && prepared.eras.get(user.projectId);
    if (user === undefined || user.createdAt === null || eras === undefined) return [];
    const last = eras.at(-1) as IndexedEra;
    const timed = timedUser(user, user.createdAt, prepared.boosts.get(key) ?? [], last.index);
    return [...clocks].map(([systemId, clock]) => {
      const account: Account = pick(state.accounts, user.id, [systemId]).get(systemId) ?? EMPTY_ACCOUNT;
      const { nextAt } = outlook(systemId, asEra(last), timed, { account, clock }, { full: false });
      const { settledAt, running } = clock;
      return { userId: user.id, systemId, settledAt, running: Object.fromEntries(running), dueAt: nextAt };
    });
  });
}
