import { insertion } from '../db/insert.ts';
import type { Client } from '../db/pool.ts';
import * as inserts from './inserts.ts';
import type {
  AnnouncementRow,
  ClockRow,
  CommandRow,
  CompletionRow,
  EntryRow,
  EventRow,
  ImportRow,
  LevelChangeRow,
  LevelRewardRow,
  RefusalRow,
  SettlementRow,
  StreakRunRow,
  TotalRow,
  TriggerCounterRow,
  UsageRow,
  UserCommandRow,
  UserRow,
  ZoneChangeRow,
} from './rows.ts';
import * as upserts from './upserts.ts';

/** All that one batch writes. Accounts are not here: the database derives them from the entries. */
export interface Postings {
  events: EventRow[];
  entries: EntryRow[];
  commands: CommandRow[];
  userCommands: UserCommandRow[];
  imports: ImportRow[];
  refusals: RefusalRow[];
  announcements: AnnouncementRow[];
  levelChanges: LevelChangeRow[];
  zoneChanges: ZoneChangeRow[];
  users: UserRow[];
  /** Users of whom nothing but the chain of events has changed. */
  userChains: UserRow[];
  totals: TotalRow[];
  triggerCounters: TriggerCounterRow[];
  usage: UsageRow[];
  settlements: SettlementRow[];
  clocks: ClockRow[];
  streakRuns: StreakRunRow[];
  completions: CompletionRow[];
  levelRewards: LevelRewardRow[];
}

/**
 * Writes a batch inside its transaction, all statements on their way at once; the only writer of events, entries and
 * balances. All are made before the first is sent: what fails here leaves nothing that a COMMIT could make good.
 */
export async function post(client: Client, postings: Postings): Promise<void> {
  const statements = [
    insertion(inserts.events, postings.events),
    insertion(inserts.commands, postings.commands),
    insertion(inserts.userCommands, postings.userCommands),
    insertion(inserts.imports, postings.imports),
    insertion(inserts.entries, postings.entries),
    insertion(upserts.totals, postings.totals),
    insertion(upserts.triggerCounters, postings.triggerCounters),
    insertion(upserts.usage, postings.usage),
    insertion(upserts.users, postings.users),
    insertion(upserts.userChains, postings.userChains),
    insertion(inserts.refusals, postings.refusals),
    insertion(inserts.outbox, postings.announcements),
    insertion(inserts.levelChanges, postings.levelChanges),
    insertion(inserts.zoneChanges, postings.zoneChanges),
    insertion(inserts.settlements, postings.settlements),
    insertion(upserts.clocks, postings.clocks),
    insertion(upserts.streakRuns, postings.streakRuns),
    insertion(inserts.completions, postings.completions),
    insertion(inserts.levelRewards, postings.levelRewards),
  ];
  await Promise.all(statements.filter((one) => one !== undefined).map((one) => client.query(one)));
}

/** Nothing to write. */
export function noPostings(): Postings {
  return {
    events: [],
    entries: [],
    commands: [],
    userCommands: [],
    imports: [],
    refusals: [],
    announcements: [],
    levelChanges: [],
    zoneChanges: [],
    users: [],
    userChains: [],
    totals: [],
    triggerCounters: [],
    usage: [],
    settlements: [],
    clocks: [],
    streakRuns: [],
    completions: [],
    levelRewards: [],
  };
}
