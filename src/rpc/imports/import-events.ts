import { type GuerdonError, invalid } from '../../errors.ts';
import {
  EventService,
  type ImportEventsRequest,
  type SendEventRequest,
} from '../../gen/guerdon/v1/event_service_pb.ts';
import { ImportFormat } from '../../gen/guerdon/v1/imports_pb.ts';
import { type Call, intakeRoute } from '../call.ts';
import type { Source } from './formats.ts';
import { importMessage, importOf } from './import-message.ts';
import { receiveImport } from './receive.ts';

export const importEvents = intakeRoute(EventService.method.importEvents, 'admin', async (call, requests) => {
  const parts = requests[Symbol.asyncIterator]();
  const { value, done } = await parts.next();
  const first = done ? undefined : (value as ImportEventsRequest).part;
  if (first?.case !== 'options') throw wrongPart('options', 'must be in the first message');
  const { importId, name, format, dryRun } = first.value;
  const id = importId === '' ? undefined : importId;
  return imported(
    call,
    await receiveImport(call, { id, name, dryRun }, sourceOf(format, { [Symbol.asyncIterator]: () => parts })),
  );
});

async function imported(call: Call, id: string) {
  return { import: importMessage(await importOf(call, id), call.api.context.now()) };
}

function sourceOf(format: ImportFormat, parts: AsyncIterable<ImportEventsRequest>): Source {
  if (format === ImportFormat.NDJSON) return { format: 'ndjson', bytes: bytesOf(parts) };
  if (format === ImportFormat.CSV) return { format: 'csv', bytes: bytesOf(parts) };
  return { format: 'events', messages: messagesOf(parts) };
}

async function* bytesOf(parts: AsyncIterable<ImportEventsRequest>): AsyncGenerator<Uint8Array> {
  for await (const { part } of parts) {
    if (part.case !== 'data') throw wrongPart(part.case ?? 'data', 'all messages but the first must have data');
    yield part.value;
  }
}

async function* messagesOf(parts: AsyncIterable<ImportEventsRequest>): AsyncGenerator<readonly SendEventRequest[]> {
  for await (const { part } of parts) {
    if (part.case !== 'rows') throw wrongPart(part.case ?? 'rows', 'all messages but the first must have rows');
    yield part.value.events;
  }
}

function wrongPart(field: string, description: string): GuerdonError {
  return invalid([{ field, description }]);
}
