import { availableParallelism } from 'node:os';

export const SECTIONS = ['events', 'reads', 'growth', 'import'] as const;
export type Section = (typeof SECTIONS)[number];

/** The servers that events are sent to, side by side. */
export const SERVERS = ['empty', 'textbook', 'guerdon-redis', 'guerdon-postgres', 'guerdon-split'] as const;
export type ServerName = (typeof SERVERS)[number];

/** What is measured, for how long and on how much. */
export interface Plan {
  form: 'short' | 'long';
  sections: readonly Section[];
  /** Without the textbook server there are no ratios. */
  servers: readonly ServerName[];
  /** Of one measurement, in seconds; the time before it that is not counted comes on top. */
  seconds: number;
  warmupSeconds: number;
  /** How often each measurement is made, in turn with those it is compared with. */
  repeat: number;
  /** Ledger entries that are there before anything is measured; every tenth of them is a user's first. */
  entries: number;
  /** Ledger entries of the large database that growth is measured on; the small one is the usual one. */
  entriesLarge: number;
  /** Rows of the import. */
  rows: number;
  /** How often that import and COPY are made; one more import has SendEvent beside it. */
  imports: number;
  /** Of SendEvent alone, before the imports. */
  idleSeconds: number;
  /** Calls that wait at once, of events. */
  inFlight: readonly number[];
  /** The same, of events that are not spread evenly, and on a large ledger. */
  busy: number;
  /** Calls that wait at once, of reads. */
  readers: readonly number[];
  /** Events a second offered, whatever the answers. */
  offered: number;
  /** Sizes of the textbook server's pool that it may choose from. */
  pools: readonly number[];
  /** Folder for the report. */
  out: string;
  /** Folder for CPU profiles of the servers; undefined: none are made. */
  profiles: string | undefined;
}

export const SHORT: Omit<Plan, 'sections' | 'out' | 'profiles'> = {
  form: 'short',
  servers: SERVERS,
  seconds: 1.5,
  warmupSeconds: 0.5,
  repeat: 3,
  entries: 100_000,
  entriesLarge: 1_000_000,
  rows: 100_000,
  imports: 2,
  idleSeconds: 10,
  inFlight: [1, 16, 64, 256],
  busy: 64,
  readers: [1, 16, 64],
  offered: 500,
  pools: [10, 20, 50],
};

export const LONG: typeof SHORT = {
  ...SHORT,
  form: 'long',
  seconds: 5,
  warmupSeconds: 1,
  repeat: 5,
  entriesLarge: 10_000_000,
  rows: 1_000_000,
  imports: 1,
  idleSeconds: 60,
};

/** Entries of each user in a filled database. */
export const ENTRIES_EACH = 10;

/** Threads of the load and of what it is compared with. */
export const CORES = availableParallelism();
