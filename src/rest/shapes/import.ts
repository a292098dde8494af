import type { DescEnum } from '@bufbuild/protobuf';
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import {
  type Import,
  ImportFormatSchema,
  type ImportRow,
  ImportRowOutcomeSchema,
  ImportStateSchema,
} from '../../gen/guerdon/v1/imports_pb.ts';

/** A value of an enum as it is written here: `IMPORT_STATE_DONE` is `done`. */
const word = (of: DescEnum, value: number): string => (of.value[value]?.localName ?? '').toLowerCase();
const instant = (at: Timestamp | undefined): string | null =>
  at === undefined ? null : timestampDate(at).toISOString();
const orNull = (text: string): string | null => (text === '' ? null : text);

export function importShape(found: Import) {
  return {
    id: found.id,
    name: orNull(found.name),
    format: word(ImportFormatSchema, found.format),
    dryRun: found.dryRun,
    retryOf: orNull(found.retryOf),
    state: word(ImportStateSchema, found.state),
    failure: orNull(found.error),
    rows: Number(found.rows),
    applied: Number(found.applied),
    duplicate: Number(found.duplicate),
    refused: Number(found.refused),
    lastLine: Number(found.lastLine),
    rowsPerSecond: Number(found.rowsPerSecond),
    remainingSeconds: found.remainingSeconds === undefined ? null : Number(found.remainingSeconds),
    created: instant(found.createdAt),
    received: instant(found.receivedAt),
    finished: instant(found.finishedAt),
  };
}

export function importRowShape({ line, outcome, eventId, refusal, source }: ImportRow) {
  return {
    line: Number(line),
    outcome: word(ImportRowOutcomeSchema, outcome),
    eventId: orNull(eventId),
    reason: refusal?.message ?? null,
    source: orNull(source),
  };
}
