import { type FiredRecord, firedRecord, readFired } from './fired-record.ts';
import {
  type RewardsRecord,
  readRewards,
  readSystem,
  readUserBoost,
  rewardRecords,
  type SystemRecord,
  systemRecord,
  type UserBoostRecord,
  userBoostRecord,
} from './record.ts';
import type { Settlement } from './settlement.ts';
import type { TickRun } from './ticks.ts';
import type { Instant, ZonePeriod } from './types.ts';

/** A settlement as it is stored: codes, and numbers as strings, but for instants, in milliseconds. */
export interface SettlementRecord extends RewardsRecord {
  until: number;
  created: number;
  eras: [version: number, from: number][];
  /** By system: settled until, and the clocks of triggers that run below the cap. */
  clocks: Record<string, [number, Record<string, number | null>]>;
  runs: (FiredRecord & { at: number; first: number; program: number })[];
  systems: SystemRecord[];
  user?: Record<string, string | null>;
  boosts?: UserBoostRecord[];
  zones?: readonly ZonePeriod[];
}

export function toSettlementRecord(settlement: Settlement): SettlementRecord {
  const { until, created, eras, clocks, runs, systems, consulted, userBoosts, zones } = settlement;
  return {
    until,
    created,
    eras: eras.map(({ version, from }) => [version, from]),
    clocks: Object.fromEntries(
      [...clocks].map(([system, { settledAt, running }]) => [system, [settledAt, Object.fromEntries(running)]]),
    ),
    runs: runs.map((run) => ({ ...firedRecord(run), at: run.at, first: run.first, program: run.programVersion })),
    systems: systems.map(systemRecord),
    ...(Object.keys(consulted).length > 0 && { user: { ...consulted } }),
    ...(userBoosts.length > 0 && { boosts: userBoosts.map(userBoostRecord) }),
    ...(zones.length > 0 && { zones }),
    ...rewardRecords(settlement),
  };
}

export function fromSettlementRecord(record: SettlementRecord): Settlement {
  return {
    until: record.until,
    created: record.created,
    eras: record.eras.map(([version, from]) => ({ version, from })),
    clocks: new Map(
      Object.entries(record.clocks).map(([system, [settledAt, running]]) => [
        system,
        { settledAt, running: new Map<string, Instant | null>(Object.entries(running)) },
      ]),
    ),
    runs: record.runs.map(
      (run): TickRun => ({ ...readFired(run), at: run.at, first: run.first, programVersion: run.program }),
    ),
    systems: record.systems.map(readSystem),
    consulted: record.user ?? {},
    userBoosts: (record.boosts ?? []).map(readUserBoost),
    zones: record.zones ?? [],
    ...readRewards(record),
  };
}
