import type { MalformedRow, ReceivedRow } from '../../commands/imports/store-rows.ts';
import type { Violation } from '../../errors.ts';
import type { Instant } from '../../rules/types.ts';
import type { Call } from '../call.ts';
import { isUnknownHere, readImported } from '../event-input.ts';
import { isStorable } from '../text.ts';
import type { SourceRow } from './formats.ts';

/** More are not kept of one row. */
const VIOLATIONS_MAX = 20;

/** Checks rows like events that are sent by themselves; `begunAt`: when those happened that do not say. */
export async function judgeRows(
  call: Call,
  sources: readonly SourceRow[],
  begunAt: Instant,
): Promise<{ rows: ReceivedRow[]; malformed: MalformedRow[] }> {
  const { catalog, now, uuid } = call.api.context;
  const read = sources.map((source) => ({ source, request: source.read() }));
  let project = await catalog.get(call.projectId);
  if (read.some(({ request }) => !Array.isArray(request) && isUnknownHere(project, request))) {
    project = await catalog.fresh(call.projectId);
  }
  const at = { now: now(), begunAt };
  const rows: ReceivedRow[] = [];
  const malformed: MalformedRow[] = [];
  for (const { source, request } of read) {
    const event = Array.isArray(request) ? request : readImported(project, request, at);
    if (Array.isArray(event)) malformed.push(malformedRow(source, event));
    else rows.push({ line: source.line, id: uuid(), event });
  }
  return { rows, malformed };
}

function malformedRow({ line, text }: SourceRow, violations: readonly Violation[]): MalformedRow {
  const detail = violations
    .slice(0, VIOLATIONS_MAX)
    .map(({ field, description }) => ({ field: storable(field), description: storable(description) }));
  return { line, code: 'FIELDS_INVALID', detail, source: storable(text) };
}

/** The text with a mark in the place of what PostgreSQL does not take. */
function storable(text: string): string {
  return isStorable(text) ? text : text.replaceAll('\0', '\ufffd').toWellFormed();
}
