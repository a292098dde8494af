import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { finished } from 'node:stream/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { SingleBar } from 'cli-progress';
import { v7 } from 'uuid';
import type { EventService } from '../gen/guerdon/v1/event_service_pb.ts';
import { type Import, ImportFormat, ImportRowOutcome, ImportState } from '../gen/guerdon/v1/imports_pb.ts';
import { findTarget } from './demo-server.ts';
import { ImportClient } from './import-client.ts';

export interface ImportEventsOptions {
  server?: string;
  key?: string;
  format?: string;
  name?: string;
  id?: string;
  dryRun?: boolean;
  refused?: string;
}

const PART_BYTES = 65_536;
/** Refused rows that are shown; the others are counted. */
const SHOWN = 10;
const PAGE = 500;

const STATES = new Map<ImportState, string>([
  [ImportState.DONE, 'done'],
  [ImportState.CANCELLED, 'cancelled'],
  [ImportState.FAILED, 'failed'],
]);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Sends a file as an import, shows how far it is, and tells what was refused. */
export async function importEventsCommand(
  env: Readonly<Record<string, string | undefined>>,
  file: string,
  options: ImportEventsOptions,
): Promise<void> {
  const format = formatOf(file, options.format);
  const { size } = await stat(file);
  const target = await findTarget(env, { grpc: options.server, key: options.key }, say, 'import');
  const client = new ImportClient(target.address, target.key);
  const id = options.id ?? v7();
  say(`import ${id}${options.dryRun ? ' (dry run: nothing is applied)' : ''}`);
  try {
    const begun = { importId: id, name: options.name ?? basename(file), format, dryRun: options.dryRun ?? false };
    await client.send(partsOf(begun, file, size)).catch((error: Error) => {
      throw new Error(`${error.message}\nTo go on with it where it broke off: --id ${id}`);
    });
    const done = await follow(client, id);
    await tell(client, done, options.refused);
  } finally {
    client.close();
    await target.close();
  }
}

function formatOf(file: string, asked: string | undefined): ImportFormat {
  const named = asked ?? /\.(ndjson|jsonl|csv)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  if (named === 'csv') return ImportFormat.CSV;
  if (named === 'ndjson' || named === 'jsonl') return ImportFormat.NDJSON;
  throw new Error(`the format of ${file} is not known by its name: say --format ndjson or --format csv`);
}

async function* partsOf(
  options: object,
  file: string,
  size: number,
): AsyncGenerator<MessageInitShape<typeof EventService.method.importEvents.input>> {
  yield { part: { case: 'options', value: options } };
  const bar = new SingleBar({ format: 'sending  [{bar}] {percentage}%', hideCursor: true });
  if (process.stdout.isTTY) bar.start(size, 0);
  try {
    for await (const data of createReadStream(file, { highWaterMark: PART_BYTES })) {
      yield { part: { case: 'data', value: data as Buffer } };
      bar.increment((data as Buffer).length);
    }
  } finally {
    bar.stop();
  }
}

async function follow(client: ImportClient, id: string): Promise<Import> {
  const bar = new SingleBar({ format: 'applying [{bar}] {value}/{total} rows, {rate}/s, {left}', hideCursor: true });
  let last: Import | undefined;
  for await (const found of client.watch(id)) {
    if (last === undefined && process.stdout.isTTY) bar.start(Number(found.rows), 0, { rate: 0, left: '' });
    last = found;
    const { remainingSeconds } = found;
    const left = remainingSeconds === undefined ? '' : `${remainingSeconds} s left`;
    bar.update(Number(found.applied + found.duplicate + found.refused), { rate: Number(found.rowsPerSecond), left });
  }
  bar.stop();
  return last as Import;
}

async function tell(client: ImportClient, done: Import, refusedFile: string | undefined): Promise<void> {
  say(
    `${STATES.get(done.state)}: ${done.rows} rows, ${done.applied} applied, ${done.duplicate} duplicates, ${done.refused} refused, ` +
      `${done.rowsPerSecond} a second`,
  );
  if (done.state !== ImportState.DONE) process.exitCode = 1;
  if (done.refused === 0n) return;
  process.exitCode = 1;
  const first = await client.rows(done.id, ImportRowOutcome.REFUSED, SHOWN, '');
  for (const { line, refusal } of first.rows) say(`line ${line}: ${refusal?.message}`);
  if (refusedFile !== undefined) await write(client, done.id, refusedFile);
  else if (first.next !== '') say(`… and more; all of them: --refused FILE, with --id ${done.id}`);
}

/** One refused row a line: its line in the file, the reason, and the row where it was malformed. */
async function write(client: ImportClient, id: string, path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let next = '', pages = 0; pages === 0 || next !== ''; pages += 1) {
    const page = await client.rows(id, ImportRowOutcome.REFUSED, PAGE, next);
    for (const { line, refusal, source } of page.rows) {
      file.write(
        `${JSON.stringify({ line: Number(line), reason: refusal?.message, ...(source !== '' && { source }) })}\n`,
      );
    }
    next = page.next;
  }
  file.end();
  await finished(file);
  say(`refused rows: ${path}`);
}
