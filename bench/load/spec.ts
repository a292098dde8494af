/** How calls come: so many that wait at once, each followed by the next, or so many a second, whatever the answers. */
export type Shape = { kind: 'closed'; inFlight: number } | { kind: 'open'; perSecond: number };

/** Whom they are about: each user as often as any other, the n-th one n times as rarely as the first, or the first alone. */
export interface Users {
  kind: 'uniform' | 'zipf' | 'hot';
  /** So many users: `user-1` and on, or each after so many others. */
  count: number;
  every?: number;
}

export type CallName = 'SendEvent' | 'GetUserPoints';

/** One measurement. */
export interface LoadSpec {
  port: number;
  key: string;
  call: CallName;
  shape: Shape;
  users: Users;
  /** Milliseconds that are not counted, then those that are. */
  warmupMs: number;
  measureMs: number;
  /** Of the choice of users and instants; also part of the idempotency keys, so no two loads of a database share one. */
  seed: number;
}

/** What was measured; times are milliseconds. */
export interface LoadResult {
  /** Calls that were answered in time, and how many a second. */
  calls: number;
  perSecond: number;
  /** Calls that failed, and what the first of them said. */
  failed: number;
  failure: string | undefined;
  p50: number;
  p99: number;
  max: number;
}
