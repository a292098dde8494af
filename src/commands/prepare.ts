import type { Queryable } from '../db/pool.ts';
import type { IndexedEra, Programs } from '../db/programs.ts';
import { findUserBoosts, type LivedBoost } from '../ledger/boosts.ts';
import { findClocks, type UserClocks } from '../ledger/clocks.ts';
import { findCompleted, findRewarded } from '../ledger/completions.ts';
import { findKnown } from '../ledger/known.ts';
import { type AccountState, type Rows, storedRows } from '../ledger/load.ts';
import type { UserRow } from '../ledger/rows.ts';
import { type AskedRuns, findOpenRuns, findRuns, type KnownRun, type OpenRun } from '../ledger/streaks.ts';
import { type Announced, findAnnounced } from '../ledger/webhooks.ts';
import type { ProgramIndex } from '../rules/program.ts';
import { periodOf } from '../rules/streak.ts';
import type { Counter, Instant, Usage } from '../rules/types.ts';
import { type Command, distinctUsers, type EventCommand } from './command.ts';
import { readUsage } from './limits.ts';
import { userKey } from './state.ts';
import { type Found, type Touched, touchedBy, withNothing } from './touched.ts';

/** What a batch is decided with, read under the lane's lock before the transaction begins. By user: project and user. */
export interface Prepared {
  fresh: readonly Command[];
  known: readonly Command[];
  /** By project id. */
  programs: Map<string, ProgramIndex>;
  /** By user; those who have no row are absent. */
  users: Map<string, UserRow>;
  /** Of these users, what the commands may change, whether it has a row or not: by `pairKey`. */
  totals: ReadonlyMap<string, Counter>;
  triggerCounters: ReadonlyMap<string, Counter>;
  accounts: ReadonlyMap<string, AccountState>;
  /** By user; those archived since what is due was settled included. */
  boosts: Map<string, LivedBoost[]>;
  /** By user, then by trigger and slot. */
  usage: Map<string, Map<string, Usage>>;
  /** By project id, the programs by which ticks are judged; absent: it has none. */
  eras: Map<string, readonly IndexedEra[]>;
  /** By user, of projects with eras. */
  clocks: Map<string, UserClocks>;
  /** By user, the runs that events of the batch may be part of or join. */
  runs: Map<string, KnownRun[]>;
  /** By user, of those who may lose a streak by the batch, the runs whose end is not told yet. */
  open: Map<string, OpenRun[]>;
  /** By user, ids of achievements. */
  completed: Map<string, Set<string>>;
  /** By user, levels as `levelName` writes them. */
  rewarded: Map<string, Set<string>>;
  announced: Announced;
}

/** Nobody else can write what is read here meanwhile: every writer of these users holds the lane's lock. */
export async function prepare(
  client: Queryable,
  all: Programs,
  commands: readonly Command[],
  rows: Rows = storedRows(client),
): Promise<Prepared> {
  const projectIds = [...new Set(commands.map((command) => command.projectId))];
  const [known, programs, announced, found] = await Promise.all([
    findKnown(client, commands),
    all.current(client, projectIds),
    findAnnounced(client, projectIds),
    rows.users(distinctUsers(commands)),
  ]);
  const users = new Map(found.map((row) => [`${row.projectId} ${row.externalId}`, row]));
  const fresh = commands.filter((command) => !known.has(command.id));
  const { clocks, eras, since } = await readClocks(client, all, programs, fresh);
  const touched = touchedBy(fresh, users, { programs, eras });
  const [boosts, usage, runs, open, completed, rewarded, changing] = await Promise.all([
    findUserBoosts(client, distinctUsers(commands), since),
    readUsage(client, fresh, programs),
    findRuns(client, askedRuns(fresh, programs)),
    findOpenRuns(client, distinctUsers(fresh.filter((command) => mayLose(command, programs, announced)))),
    findCompleted(client, distinctUsers(fresh.filter((command) => mayComplete(command, programs)))),
    findRewarded(client, distinctUsers(fresh.filter(({ projectId }) => programs.get(projectId)?.rewards))),
    readTouched(rows, touched),
  ]);
  return {
    fresh,
    known: commands.filter((command) => known.has(command.id)),
    programs,
    users,
    ...changing,
    boosts,
    usage,
    eras,
    clocks,
    runs,
    open,
    completed,
    rewarded,
    announced,
  };
}

async function readTouched(rows: Rows, touched: Touched): Promise<Found> {
  const [totals, triggerCounters, accounts] = await Promise.all([
    rows.totals([...touched.totals.values()]),
    rows.triggerCounters([...touched.triggerCounters.values()]),
    rows.accounts([...touched.accounts.values()]),
  ]);
  return withNothing(touched, { totals, triggerCounters, accounts });
}

/** How far the users are settled, and the programs since the one that was settled least. */
async function readClocks(
  client: Queryable,
  all: Programs,
  programs: ReadonlyMap<string, ProgramIndex>,
  commands: readonly Command[],
): Promise<Pick<Prepared, 'clocks' | 'eras'> & { since: Instant | null }> {
  const timed = new Set<string>();
  for (const [projectId, index] of programs) if (await all.isTimed(client, projectId, index)) timed.add(projectId);
  const concerned = commands.filter(({ projectId }) => timed.has(projectId));
  if (concerned.length === 0) return { clocks: new Map(), eras: new Map(), since: null };
  const clocks = await findClocks(client, distinctUsers(concerned));
  const settled = concerned.flatMap((command) => {
    const own = clocks.get(userKey(command));
    return own?.created == null
      ? [command.receivedAt]
      : [...own.clocks.values()].map(({ settledAt }) => settledAt).concat(own.clocks.size === 0 ? own.created : []);
  });
  const since = settled.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const eras = new Map<string, readonly IndexedEra[]>();
  for (const projectId of timed) {
    const own = await all.eras(client, projectId, programs.get(projectId) as ProgramIndex, since);
    if (own !== undefined) eras.set(projectId, own);
  }
  return { clocks, eras, since };
}

/** No zone is further from UTC, in milliseconds. */
const OFFSET_MAX = 16 * 3_600_000;

/** Whatever zone the user turns out to be in. */
function askedRuns(commands: readonly Command[], programs: ReadonlyMap<string, ProgramIndex>): AskedRuns[] {
  return commands
    .filter((command): command is EventCommand => command.kind === 'event')
    .flatMap(({ projectId, user, metricId, occurredAt }) => {
      const index = programs.get(projectId);
      const frequency = index?.program.streak?.frequency;
      if (frequency === undefined || !index?.touchedBy(metricId).streak) return [];
      const at = (offset: number) => periodOf(occurredAt + offset, 'UTC', frequency);
      return [{ projectId, externalId: user, frequency, from: at(-OFFSET_MAX), to: at(OFFSET_MAX) }];
    });
}

/** An event may begin another run, and a zone may move the end of one: that matters where somebody wants to be told. */
function mayLose(
  { kind, projectId }: Command,
  programs: ReadonlyMap<string, ProgramIndex>,
  announced: Announced,
): boolean {
  if (kind === 'settle') return true;
  if (kind !== 'event' && kind !== 'user' && kind !== 'complete') return false;
  return programs.get(projectId)?.program.streak != null && announced.has(projectId, 'streak_lost');
}

function mayComplete(command: Command, programs: ReadonlyMap<string, ProgramIndex>): boolean {
  if (command.kind === 'complete') return true;
  return (
    command.kind === 'event' && (programs.get(command.projectId)?.touchedBy(command.metricId).achievements ?? false)
  );
}
