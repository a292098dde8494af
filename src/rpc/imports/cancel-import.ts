import { cancelImport as cancel } from '../../commands/imports/find-imports.ts';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { route } from '../call.ts';
import { importMessage, importOf } from './import-message.ts';

export const cancelImport = route(EventService.method.cancelImport, 'admin', async (call, { id }) => {
  const { pool, now } = call.api.context;
  await cancel(pool, call.projectId, id, now());
  return { import: importMessage(await importOf(call, id), now()) };
});
