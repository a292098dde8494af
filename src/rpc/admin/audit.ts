import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { auditLog } from '../../commands/audit-log.ts';
import { AdminService } from '../../gen/guerdon/v1/admin_service_pb.ts';
import { route } from '../call.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';
import { changeMessage } from './change-message.ts';

export const listAuditEntries = route(AdminService.method.listAuditEntries, 'admin', async (call, request) => {
  const { kind, key } = request;
  const name = JSON.stringify(['audit', kind, key]);
  const beforeId = pageCursor(name, request.pageToken, ID_CURSOR);
  const size = pageSize(request.pageSize);
  const found = await auditLog(call.api.context.pool, call.projectId, { kind, key, beforeId, limit: size + 1 });
  const page = found.slice(0, size);
  return {
    entries: page.map((entry) => ({
      id: entry.id,
      at: timestampFromMs(entry.at),
      actor: entry.actor,
      change: changeMessage(entry.change),
      ...(entry.programVersion !== null && { programVersion: BigInt(entry.programVersion) }),
      userId: entry.user ?? '',
    })),
    nextPageToken: found.length > size ? pageToken(name, page.at(-1)?.id ?? '') : '',
  };
});
