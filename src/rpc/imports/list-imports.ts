import { listImports as list } from '../../commands/imports/find-imports.ts';
import { EventService } from '../../gen/guerdon/v1/event_service_pb.ts';
import { route } from '../call.ts';
import { pageCursor, pageSize, pageToken, UUID } from '../page.ts';
import { importMessage } from './import-message.ts';

export const listImports = route(EventService.method.listImports, 'admin', async (call, request) => {
  const name = `imports ${call.projectId}`;
  const before = pageCursor(name, request.pageToken, UUID);
  const size = pageSize(request.pageSize);
  const found = await list(call.api.context.pool, call.projectId, { before, limit: size + 1 });
  const imports = found.slice(0, size);
  const last = imports.at(-1);
  return {
    imports: imports.map((item) => importMessage(item, call.receivedAt)),
    nextPageToken: found.length > size && last !== undefined ? pageToken(name, last.id) : '',
  };
});
