import { type RefusedRow, refusedRows } from '../../commands/imports/find-rows.ts';
import { finishReceiving, openRetry, storeBlock } from '../../commands/imports/store-rows.ts';
import { GuerdonError } from '../../errors.ts';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { authorOf, type Call, route } from '../call.ts';
import { readAgain, type Source, type SourceRow } from './formats.ts';
import { importMessage, importOf } from './import-message.ts';
import { judgeRows } from './judge-rows.ts';

/** Rows that are in memory at once. */
const ROWS_MAX = 500;

export const retryImport = route(EventService.method.retryImport, 'admin', async (call, request) => {
  const first = await importOf(call, request.id);
  if (first.finishedAt === null) {
    throw new GuerdonError('FAILED_PRECONDITION', 'IMPORT_NOT_FINISHED', 'the import is under way; wait, or cancel it');
  }
  if (first.refused === 0) {
    throw new GuerdonError('FAILED_PRECONDITION', 'NOTHING_REFUSED', 'no row of the import was refused');
  }
  const release = call.api.ingest.reserve(Math.min(ROWS_MAX, call.api.context.config.inFlightMax >> 2));
  try {
    const id = await copyRefused(call, first);
    return { import: importMessage(await importOf(call, id), call.api.context.now()) };
  } finally {
    release();
  }
});

/** Their lines and the hash that gives keys stay, so a row is the same event that it was. */
async function copyRefused(
  call: Call,
  first: { id: string; format: Source['format']; createdAt: number },
): Promise<string> {
  const { pool, uuid, lanes, now } = call.api.context;
  const open = await openRetry(pool, {
    id: uuid(),
    retryOf: first.id,
    actor: authorOf(call).actor,
    now: call.receivedAt,
  });
  const limit = Math.min(ROWS_MAX, call.api.context.config.inFlightMax >> 2);
  for (;;) {
    const refused = await refusedRows(pool, first.id, { afterLine: open.lastLine, limit });
    const last = refused.at(-1);
    if (last === undefined) break;
    const malformed = refused.filter((row) => row.source !== null).map((row) => toSource(first.format, row));
    const judged = await judgeRows(call, malformed, first.createdAt);
    const kept = refused.flatMap(({ line, event }) => (event === null ? [] : [{ line, id: uuid(), event }]));
    const rows = [...kept, ...judged.rows].sort((a, b) => a.line - b.line);
    const block = { rows, malformed: judged.malformed, lastLine: last.line, hash: open.hash };
    if (!(await storeBlock(pool, open, block, { lanes, now: now() }))) break;
    open.lastLine = last.line;
  }
  await finishReceiving(pool, open, now());
  return open.id;
}

function toSource(format: Source['format'], row: RefusedRow): SourceRow {
  const text = row.source ?? '';
  return { line: row.line, text, read: () => readAgain(format, text) };
}
