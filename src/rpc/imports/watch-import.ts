import { setTimeout as sleep } from 'node:timers/promises';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { type Call, streamRoute } from '../call.ts';
import { importMessage, importOf } from './import-message.ts';

/** So often it is looked how far the import is. */
const LOOK_MS = 250;

export const watchImport = streamRoute(
  EventService.method.watchImport,
  'admin',
  async function* (call: Call, { id }: { id: string }, signal: AbortSignal) {
    let told = '';
    for (;;) {
      signal.throwIfAborted();
      const found = await importOf(call, id);
      const { state, rows, applied, duplicate, refused } = found;
      const progress = [state, rows, applied, duplicate, refused].join(' ');
      if (progress !== told) yield { import: importMessage(found, call.api.context.now()) };
      told = progress;
      if (found.finishedAt !== null) return;
      await sleep(LOOK_MS);
    }
  },
);
