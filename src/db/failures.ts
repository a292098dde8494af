/** Conflicts that end differently when everything is done again: by code alone, since COMMIT raises raw errors. */
const CONFLICT_CODES = new Set(['40001', '40P01']);

/** Unique keys whose violation means that another writer got in between reading and writing. */
const RACE_CONSTRAINTS = new Set([
  'users_external_id_unique',
  'events_key_unique',
  'events_pkey',
  'events_seq_unique',
  'commands_key_unique',
  'commands_pkey',
  'entries_chain',
  'entries_pkey',
  'entries_cause_unique',
]);

/** Failures of the machinery, not of what was asked: connection, resources, locks, shutdown, disk. */
const MACHINERY_CLASSES = new Set(['08', '53', '55', '57', '58', '25', '28', '3D']);

/** A plan or statement that the server no longer has for this session, and a commit that nobody knows the end of. */
const MACHINERY_CODES = new Set(['0A000', '26000', '40003']);

/** Of Node: system calls, name resolution, streams and sockets, certificates; no SQLSTATE begins so. */
const NODE_FAILURE =
  /^(E(?!RR_)[A-Z0-9_]+|ERR_(STREAM|SOCKET|TLS|SSL)_\w+|(CERT|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)_\w+)$/;

export const LOCK_TIMEOUT = '55P03';

interface DatabaseError {
  code?: unknown;
  constraint?: unknown;
}

/** Whether the same work may end differently when done again at once. */
export function isConflict(error: unknown): boolean {
  const { code } = (error ?? {}) as DatabaseError;
  return typeof code === 'string' && CONFLICT_CODES.has(code);
}

/** Whether another writer may have got in between; where none did, doing it again ends the same. */
export function isRace(error: unknown): boolean {
  const { constraint } = (error ?? {}) as DatabaseError;
  return typeof constraint === 'string' && RACE_CONSTRAINTS.has(constraint);
}

/** Whether the database or the way to it failed, so that the work itself is not to blame. */
export function isMachineryFailure(error: unknown): boolean {
  const { code } = (error ?? {}) as DatabaseError;
  if (typeof code === 'string') {
    return MACHINERY_CLASSES.has(code.slice(0, 2)) || MACHINERY_CODES.has(code) || NODE_FAILURE.test(code);
  }
  return error instanceof Error && /connection|timeout|terminated|not queryable/i.test(error.message);
}

/** Whether a lock could not be had in the time that the session grants. */
export function isLockTimeout(error: unknown): boolean {
  return ((error ?? {}) as DatabaseError).code === LOCK_TIMEOUT;
}
