import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type FoundImport, findImport } from '../../commands/imports/find-imports.ts';
import { GuerdonError } from '../../errors.ts';
import { ImportFormat, type ImportSchema, ImportState } from '../../gen/guerdon/v1/imports_pb.ts';
import type { Call } from '../call.ts';

const FORMAT = { events: ImportFormat.EVENTS, ndjson: ImportFormat.NDJSON, csv: ImportFormat.CSV } as const;
const STATE = {
  receiving: ImportState.RECEIVING,
  applying: ImportState.APPLYING,
  done: ImportState.DONE,
  cancelled: ImportState.CANCELLED,
  failed: ImportState.FAILED,
} as const;

/** The import of this id in the caller's project; else NOT_FOUND. */
export async function importOf(call: Call, id: string): Promise<FoundImport> {
  const found = await findImport(call.api.context.pool, call.projectId, id);
  if (found === undefined) throw new GuerdonError('NOT_FOUND', 'IMPORT_UNKNOWN', 'id: no such import');
  return found;
}

/** An import as it is shown at an instant. */
export function importMessage(found: FoundImport, now: number): MessageInitShape<typeof ImportSchema> {
  const { rate, remaining } = pace(found, now);
  return {
    id: found.id,
    name: found.name,
    format: FORMAT[found.format],
    dryRun: found.dryRun,
    retryOf: found.retryOf ?? '',
    state: STATE[found.state],
    error: found.error ?? '',
    rows: BigInt(found.rows),
    applied: BigInt(found.applied),
    duplicate: BigInt(found.duplicate),
    refused: BigInt(found.refused),
    lastLine: BigInt(found.lastLine),
    rowsPerSecond: BigInt(Math.round(rate)),
    ...(remaining !== undefined && { remainingSeconds: BigInt(Math.ceil(remaining)) }),
    createdAt: timestampFromMs(found.createdAt),
    ...(found.receivedAt !== null && { receivedAt: timestampFromMs(found.receivedAt) }),
    ...(found.finishedAt !== null && { finishedAt: timestampFromMs(found.finishedAt) }),
  };
}

/** Rows a second of what is under way or was last, and the seconds that the rest of it takes. */
function pace(found: FoundImport, now: number): { rate: number; remaining: number | undefined } {
  const { receivedAt, createdAt, finishedAt, rows } = found;
  const told = found.applied + found.duplicate + found.refused;
  const [done, since] = receivedAt === null ? [rows, createdAt] : [told, receivedAt];
  const seconds = Math.max(1, (finishedAt ?? now) - since) / 1_000;
  const rate = done / seconds;
  const known = found.state === 'applying' && rate > 0;
  return { rate, remaining: known ? (rows - told) / rate : undefined };
}
