import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ImportEventsRequestSchema, ImportOptionsSchema } from '../../src/gen/guerdon/v1/event_service_pb.ts';
import {
  type Import,
  type ImportRow,
  type ImportRowOutcome,
  ImportState,
} from '../../src/gen/guerdon/v1/imports_pb.ts';
import type { Clients } from './guerdon.ts';
import { until } from './wait.ts';

type Options = MessageInitShape<typeof ImportOptionsSchema>;
type Request = MessageInitShape<typeof ImportEventsRequestSchema>;

/** The messages of an import of a file, in pieces of so many bytes. */
export async function* fileParts(options: Options, file: Buffer, size = 10_000): AsyncGenerator<Request> {
  yield { part: { case: 'options', value: options } };
  for (let start = 0; start < file.length; start += size) {
    yield { part: { case: 'data', value: file.subarray(start, start + size) } };
  }
}

/** Sends a file as an import; gives it as it stands when its rows are stored. */
export async function importFile(clients: Clients, options: Options, file: Buffer | string): Promise<Import> {
  const answer = await clients.events.importEvents(fileParts(options, Buffer.from(file)));
  return answer.import as Import;
}

/** Waits until the import is finished. */
export async function finished(clients: Pick<Clients, 'events'>, id: string, timeoutMs = 60_000): Promise<Import> {
  let found: Import | undefined;
  await until(
    async () => {
      found = (await clients.events.getImport({ id })).import;
      return found !== undefined && found.state !== ImportState.APPLYING && found.state !== ImportState.RECEIVING;
    },
    { what: `import ${id} to be finished`, timeoutMs },
  );
  return found as Import;
}

/** All rows of an import with an outcome, page by page. */
export async function rowsOf(clients: Clients, id: string, outcome?: ImportRowOutcome): Promise<ImportRow[]> {
  const all: ImportRow[] = [];
  for (let pageToken = '', pages = 0; pages === 0 || pageToken !== ''; pages += 1) {
    const page = await clients.events.listImportRows({ id, pageSize: 500, pageToken, ...(outcome && { outcome }) });
    all.push(...page.rows);
    pageToken = page.nextPageToken;
  }
  return all;
}

/** Lines of JSON, one a row. */
export function ndjson(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
