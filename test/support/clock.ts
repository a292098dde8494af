import { type Timestamp, timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { EntryKindSchema } from '../../src/gen/guerdon/v1/points_service_pb.ts';
import type { BackendKind } from './backends.ts';
import type { TestDatabase } from './database.ts';
import { startGuerdon, type TestGuerdon } from './guerdon.ts';
import { expectSound } from './ledger.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Two numbers that name the advisory lock of whoever settles what nobody touches. */
const SETTLE_LOCK = '1735750773, 0';

/** A Guerdon whose clock stands until a test moves it, and where nothing is settled but by what touches it. */
export interface TimedGuerdon extends TestGuerdon {
  /** Moves the clock to an instant such as `2024-03-01T12:00Z`, or by so many milliseconds. */
  move(to: string | number): void;
  /** Ends the process, moves the clock, and starts another one on the same database. */
  restart(to: string | number): Promise<void>;
  /** Lets the workers settle what nobody touches. */
  letSettle(): Promise<void>;
  /** Applies an economy, whatever it puts out of reach. */
  apply(economy: object): Promise<void>;
  /** One lesson of a user, or something else. */
  send(user: string, more?: Sent): ReturnType<TestGuerdon['events']['sendEvent']>;
  balance(user: string, system: string): Promise<number>;
  /** Holds all that is stored against itself, then ends. */
  finish(): Promise<void>;
}

export interface Sent {
  metricKey?: string;
  value?: string;
  attributes?: Record<string, string>;
  occurredAt?: Timestamp;
  idempotencyKey?: string;
  /** What the event changes of the user. */
  profile?: { tz?: string; attributes?: Record<string, string> };
}

export async function startTimed(
  from: string,
  kind: BackendKind = 'postgres',
  more: Record<string, string> = {},
): Promise<TimedGuerdon> {
  let now = Date.parse(from);
  const start = (database?: TestDatabase) => startGuerdon(kind, more, () => now, database);
  const first = await start();
  const holder = await first.database.pool.connect();
  await holder.query(`select pg_advisory_lock(${SETTLE_LOCK})`);
  let held = true;
  const timed: TimedGuerdon = {
    ...first,
    move(to) {
      now = typeof to === 'number' ? now + to : Date.parse(to);
    },
    async restart(to) {
      await timed.running.close();
      timed.move(to);
      Object.assign(timed, { ...(await start(first.database)) });
    },
    async letSettle() {
      await holder.query(`select pg_advisory_unlock(${SETTLE_LOCK})`);
      held = false;
    },
    async apply(economy) {
      await timed.admin.applyEconomy({ file: JSON.stringify(economy), allowStranding: true });
    },
    send(id, { profile = {}, ...more } = {}) {
      return timed.events.sendEvent({ metricKey: 'lessons', value: '1', ...more, user: { ...profile, id } });
    },
    async balance(userId, systemKey) {
      return Number((await timed.points.getUserPoints({ userId, systemKey, awards: 0 })).total);
    },
    async finish() {
      await expectSound(first.database);
      if (held) await holder.query(`select pg_advisory_unlock(${SETTLE_LOCK})`);
      holder.release();
      await timed.running.close();
      await first.database.drop();
    },
  };
  return timed;
}

/** An instant of the wire as text. */
export function text(at: Timestamp | undefined): string | undefined {
  return at && timestampDate(at).toISOString();
}

export function instant(at: string): Timestamp {
  return timestampFromMs(Date.parse(at));
}

/** The ledger of a user in a points system, the oldest entry first: kind, amount, and the instant that it counts for. */
export async function ledger(
  { points }: Pick<TestGuerdon, 'points'>,
  userId: string,
  systemKey: string,
): Promise<[kind: string, amount: number, occurredAt: string | undefined][]> {
  const { entries } = await points.listLedgerEntries({ userId, systemKey, pageSize: 500 });
  return entries
    .toReversed()
    .map((entry) => [EntryKindSchema.value[entry.kind]?.localName ?? '', Number(entry.amount), text(entry.occurredAt)]);
}

/** Of every table how many rows it has, and which transaction was the last to write one. */
export async function written({ pool }: TestDatabase): Promise<Record<string, string>> {
  // That a key is used is written whatever it is used for.
  const tables = await pool.query(
    `select tablename from pg_tables where schemaname = 'public' and tablename <> 'api_keys' order by 1`,
  );
  const counted: Record<string, string> = {};
  for (const { tablename } of tables.rows) {
    const { rows } = await pool.query(`select count(*), max(xmin::text::bigint) as last from "${tablename}"`);
    counted[tablename] = `${rows[0].count} rows, last by ${rows[0].last}`;
  }
  return counted;
}
