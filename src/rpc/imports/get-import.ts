import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { route } from '../call.ts';
import { importMessage, importOf } from './import-message.ts';

export const getImport = route(EventService.method.getImport, 'admin', async (call, { id }) => ({
  import: importMessage(await importOf(call, id), call.receivedAt),
}));
