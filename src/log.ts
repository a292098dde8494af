import pino from 'pino';

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** A log of JSON lines on stderr. */
export function createLog(level: string): pino.Logger {
  if (!LEVELS.includes(level)) throw new Error(`GUERDON_LOG_LEVEL is "${level}"; it can be ${LEVELS.join(', ')}`);
  return pino({ level, serializers: { err: errorFields } }, pino.destination({ dest: 2, sync: true }));
}

/** What helps to find the cause; a driver's error carries its whole connection along. */
function errorFields(error: Error & { code?: unknown; constraint?: unknown }): object {
  const { name, message, code, constraint, stack } = error;
  return { name, message, code, constraint, stack };
}
