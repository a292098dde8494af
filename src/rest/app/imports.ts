import { invalid } from '../../errors.ts';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { type Import, ImportRowOutcome } from '../../gen/guerdon/v1/imports_pb.ts';
import { receiveImport } from '../../rpc/imports/receive.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { importRowShape, importShape } from '../shapes/import.ts';

type FileFormat = 'ndjson' | 'csv';

/** By the type of a body. */
const FORMATS: Readonly<Record<string, FileFormat>> = {
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
};

export const FILE_TYPES = Object.keys(FORMATS);

/** Answers once all rows are stored; they are applied after that. */
export async function importEvents({ call, query, upload }: RestCall): Promise<Answer> {
  const {
    importId,
    name = '',
    dryRun = false,
    format = FORMATS[upload?.type ?? ''],
  } = query as {
    importId?: string;
    name?: string;
    dryRun?: boolean;
    format?: FileFormat;
  };
  if (upload === undefined || format === undefined) {
    const description = `must be given where the type of the body is not one of ${FILE_TYPES.join(', ')}`;
    throw invalid([{ field: 'format', description }]);
  }
  const id = await receiveImport(call, { id: importId?.toLowerCase(), name, dryRun }, { format, bytes: upload.bytes });
  return { body: importShape(await importBy(call, id)) };
}

/** The last one first. */
export async function listImports({ call, query }: RestCall): Promise<Answer> {
  const { imports, nextPageToken } = await rpc(call, EventService.method.listImports, query);
  return { body: { imports: imports.map(importShape), nextPageToken } };
}

export async function getImport({ call, path }: RestCall): Promise<Answer> {
  return { body: importShape(await importBy(call, path.id as string)) };
}

/** In the order of the lines. */
export async function listImportRows({ call, path, query }: RestCall): Promise<Answer> {
  const { outcome, ...page } = query as { outcome?: string; pageSize?: number; pageToken?: string };
  const asked = ImportRowOutcome[(outcome ?? 'unspecified').toUpperCase() as keyof typeof ImportRowOutcome];
  const { rows, nextPageToken } = await rpc(call, EventService.method.listImportRows, {
    id: path.id as string,
    outcome: asked,
    ...page,
  });
  return { body: { rows: rows.map(importRowShape), nextPageToken } };
}

export async function cancelImport({ call, path }: RestCall): Promise<Answer> {
  const done = await rpc(call, EventService.method.cancelImport, { id: path.id as string });
  return { body: importShape(done.import as Import) };
}

export async function retryImport({ call, path }: RestCall): Promise<Answer> {
  const done = await rpc(call, EventService.method.retryImport, { id: path.id as string });
  return { body: importShape(done.import as Import) };
}

async function importBy(call: RestCall['call'], id: string): Promise<Import> {
  return (await rpc(call, EventService.method.getImport, { id })).import as Import;
}
