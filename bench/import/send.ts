import { createReadStream } from 'node:fs';
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { ImportClient } from '../../src/cli/import-client.ts';
import { type Import, ImportFormat, ImportState } from '../../src/gen/guerdon/v1/imports_pb.ts';
import { KEY } from '../databases.ts';

// Sends a file as an import, in a process of its own, waits until every row has its outcome, and prints how long it took by
// the server's own instants: from the first message to the last row applied.

const [port, path] = process.argv.slice(2) as [string, string];
const client = new ImportClient(`127.0.0.1:${port}`, KEY);

async function* parts() {
  yield { part: { case: 'options', value: { format: ImportFormat.NDJSON, name: 'bench' } } } as const;
  for await (const data of createReadStream(path)) yield { part: { case: 'data', value: data as Buffer } } as const;
}

const { id } = await client.send(parts());
let last: Import | undefined;
for await (const found of client.watch(id)) last = found;
client.close();
if (last?.state !== ImportState.DONE || last.applied !== last.rows) {
  throw new Error(`the import ended in state ${last?.state}, ${last?.applied} of ${last?.rows} rows applied`);
}
const at = (instant: Timestamp | undefined): number => timestampMs(instant as Timestamp);
const begun = at(last.createdAt);
const ms = { stored: at(last.receivedAt) - begun, applied: at(last.finishedAt) - begun };
process.stdout.write(`import ${JSON.stringify({ rows: Number(last.rows), ...ms })}\n`);
