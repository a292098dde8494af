import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { route } from '../call.ts';
import { storedUser } from './user-call.ts';

export const getUser = route(
  UserService.method.getUser,
  (request) => [request.userId],
  async (call, { userId }) => ({ user: await storedUser(call, userId) }),
);
