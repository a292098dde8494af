import type { MessageInitShape } from '@bufbuild/protobuf';
import type { FoundImport } from '../../commands/imports/find-imports.ts';
import { type FoundRow, findRows, type RowOutcome } from '../../commands/imports/find-rows.ts';
import { type GuerdonError, invalid, refusalError, setAsideError, type Violation } from '../../errors.ts';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { ImportRowOutcome, type ImportRowSchema } from '../../gen/guerdon/v1/imports_pb.ts';
import type { RefusalCode } from '../../rules/decision.ts';
import { route } from '../call.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';
import { statusOf } from '../status.ts';
import { importOf } from './import-message.ts';

const OUTCOME = {
  pending: ImportRowOutcome.PENDING,
  applied: ImportRowOutcome.APPLIED,
  duplicate: ImportRowOutcome.DUPLICATE,
  refused: ImportRowOutcome.REFUSED,
} as const;

export const listImportRows = route(EventService.method.listImportRows, 'admin', async (call, request) => {
  const whole = await importOf(call, request.id);
  const { id, dryRun } = whole;
  const list = `import-rows ${id} ${request.outcome}`;
  const afterLine = Number(pageCursor(list, request.pageToken, ID_CURSOR) ?? 0);
  const size = pageSize(request.pageSize);
  const outcome = (Object.keys(OUTCOME) as RowOutcome[]).find((name) => OUTCOME[name] === request.outcome) ?? null;
  const page = { afterLine, limit: size + 1, outcome };
  const found = hasNone(whole, outcome) ? [] : await findRows(call.api.context.pool, id, page);
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  return {
    rows: rows.map((row) => rowMessage(row, dryRun)),
    nextPageToken: found.length > size && last !== undefined ? pageToken(list, String(last.line)) : '',
  };
});

/** No row has this outcome, so that none need be looked through for it. */
function hasNone({ state, applied }: FoundImport, outcome: RowOutcome | null): boolean {
  return (outcome === 'pending' && state === 'done') || (outcome === 'applied' && applied === 0);
}

/** The rows of a dry run are no events. */
function rowMessage(row: FoundRow, dryRun: boolean): MessageInitShape<typeof ImportRowSchema> {
  return {
    line: BigInt(row.line),
    outcome: OUTCOME[row.outcome],
    eventId: dryRun && row.outcome !== 'duplicate' ? '' : (row.eventId ?? ''),
    source: row.source ?? '',
    ...(row.code !== null && { refusal: statusOf(errorOf(row.code, row.detail)) }),
  };
}

/** The error that the row would have been answered with, had it been sent by itself. */
export function errorOf(code: string, detail: unknown): GuerdonError {
  if (code === 'FIELDS_INVALID') return invalid(detail as Violation[]);
  if (code === 'SET_ASIDE') return setAsideError();
  return refusalError(code as RefusalCode, detail as Record<string, string>);
}
