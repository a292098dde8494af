import type { Queryable } from '../db/pool.ts';
import type { DecisionRecord, RewardsRecord } from '../rules/record.ts';
import type { SettlementRecord } from '../rules/settlement-record.ts';
import type { Instant } from '../rules/types.ts';
import { shortest } from './events.ts';
import type { EntryRow, EventRow } from './rows.ts';

const ROWS_AT_ONCE = 1_000;

/** A user's events from the first applied to the last. */
export async function* eventsInOrder(db: Queryable, userId: string): AsyncGenerator<EventRow> {
  for (let after = '0'; ; ) {
    const { rows } = await db.query(
      `select * from events where user_id = $1 and seq > $2 order by seq limit ${ROWS_AT_ONCE}`,
      [userId, after],
    );
    for (const row of rows) {
      yield {
        userId: row.user_id,
        id: row.id,
        seq: BigInt(row.seq),
        metricId: row.metric_id,
        keyed: row.keyed,
        key: row.key,
        value: shortest(row.value),
        attributes: row.attributes,
        occurredAt: row.occurred_at.getTime(),
        occurredAtSent: row.occurred_at_sent,
        receivedAt: row.received_at.getTime(),
        createdAt: row.created_at.getTime(),
        totalBefore: shortest(row.total_before),
        totalAfter: shortest(row.total_after),
        highBefore: shortest(row.high_before),
        highAfter: shortest(row.high_after),
        programVersion: row.program_version,
        decision: row.decision,
        hash: row.hash,
      };
      after = row.seq;
    }
    if (rows.length < ROWS_AT_ONCE) return;
  }
}

/** An account's entries from the first to the last. */
export async function* entriesInOrder(db: Queryable, userId: string, systemId: string): AsyncGenerator<EntryRow> {
  for (let after = '0'; ; ) {
    const { rows } = await db.query(
      `select * from entries where user_id = $1 and system_id = $2 and version > $3 order by version limit ${ROWS_AT_ONCE}`,
      [userId, systemId, after],
    );
    for (const row of rows) {
      yield {
        userId: row.user_id,
        systemId: row.system_id,
        version: BigInt(row.version),
        kind: row.kind,
        amount: BigInt(row.amount),
        balanceAfter: BigInt(row.balance_after),
        causeKey: row.cause_key,
        eventId: row.event_id,
        triggerId: row.trigger_id,
        commandId: row.command_id,
        occurredAt: row.occurred_at.getTime(),
        createdAt: row.created_at.getTime(),
        hash: row.hash,
        ...(row.earned !== null && { earned: BigInt(row.earned) }),
      };
      after = row.version;
    }
    if (rows.length < ROWS_AT_ONCE) return;
  }
}

/** A command and what was decided for it. */
export interface CommandDecision {
  id: string;
  at: Instant;
  programVersion: number;
  decision: DecisionRecord;
}

/** The call that made the user known, where it was not an event. */
export async function creationOf(db: Queryable, userId: string): Promise<CommandDecision | undefined> {
  const { rows } = await db.query(
    'select id, received_at, program_version, decision from user_commands where user_id = $1 and created',
    [userId],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const { id, decision, program_version: programVersion } = row;
  return { id, at: row.received_at.getTime(), programVersion, decision };
}

export interface StoredCompletion {
  achievementId: string;
  id: string;
  byEvent: boolean;
  at: Instant;
  afterSeq: bigint;
  programVersion: number;
  backdated: boolean;
  decision: DecisionRecord | null;
}

/** What a user has completed. */
export async function completionsIn(db: Queryable, userId: string): Promise<StoredCompletion[]> {
  const { rows } = await db.query('select * from completions where user_id = $1 order by after_seq, created_at', [
    userId,
  ]);
  return rows.map((row) => ({
    achievementId: row.achievement_id,
    id: row.id,
    byEvent: row.by_event,
    at: row.at.getTime(),
    afterSeq: BigInt(row.after_seq),
    programVersion: row.program_version,
    backdated: row.backdated,
    decision: row.decision,
  }));
}

export interface StoredSettlement {
  id: string;
  record: SettlementRecord;
}

/** What was due by the clock for a user, in the order in which it was settled. */
export async function settlementsIn(db: Queryable, userId: string): Promise<StoredSettlement[]> {
  const { rows } = await db.query(
    'select id, record from settlements where user_id = $1 order by until, created_at, id',
    [userId],
  );
  return rows.map(({ id, record }) => ({ id, record }));
}

/** What was due by the clock when the event or command of this id came; undefined: nothing. */
export async function settlementBefore(db: Queryable, id: string): Promise<SettlementRecord | undefined> {
  const { rows } = await db.query({
    name: 'settlement-before',
    text: 'select record from settlements where id = $1',
    values: [id],
  });
  return rows[0]?.record;
}

/** What levels gave with a user's spends and adjustments. */
export async function rewardsIn(db: Queryable, userId: string): Promise<{ id: string; decision: RewardsRecord }[]> {
  const { rows } = await db.query(
    'select id, decision from commands where user_id = $1 and decision is not null order by after_seq, created_at',
    [userId],
  );
  return rows.map(({ id, decision }) => ({ id, decision }));
}
