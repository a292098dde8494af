import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { usersOf } from '../../ledger/users.ts';
import { route } from '../call.ts';
import { ID_CURSOR, pageCursor, pageSize, pageToken } from '../page.ts';
import { userMessage } from './user-call.ts';

export const listUsers = route(UserService.method.listUsers, 'admin', async (call, request) => {
  const afterId = pageCursor('users', request.pageToken, ID_CURSOR) ?? '0';
  const size = pageSize(request.pageSize);
  const found = await usersOf(call.api.context.pool, call.projectId, { afterId, limit: size + 1 });
  const page = found.slice(0, size);
  return {
    users: page.map((user) => userMessage(user, call.receivedAt)),
    nextPageToken: found.length > size ? pageToken('users', page.at(-1)?.id ?? '') : '',
  };
});
