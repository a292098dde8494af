/** Conflicts that end differently when everything is done again: by code alone, since COMMIT raises raw errors. */
const CONFLICT_CODES = new Set(['40001', '40P01']);

/** Unique keys whose violation means that another writer got in between reading and writing. */
const RACE_CONSTRAINTS = new Set([
  'events_key_unique',
  'events_pkey',
  'events_seq_unique',
  'commands_key_unique',
  'commands_pkey',
  'entries_chain',
  'entries_pkey',
  'entries_cause_unique',
]);

/** Failures of the machinery, not of what was asked: connection, resources, shutdown, internal, disk. */
const MACHINERY_CLASSES = new Set(['08', '53', '55', '57', '58', 'XX', '25', '28', '3D']);

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
    return /^[0-9A-Z]{5}$/.test(code) ? MACHINERY_CLASSES.has(code.slice(0, 2)) : /^E[A-Z]+$/.test(code);
  }
  return error instanceof Error && /connection|timeout|terminated|not queryable/i.test(error.message);
}
