import type { UserInput } from '../../gen/guerdon/v1/types_pb.ts';
import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { route } from '../call.ts';
import { userAnswer } from './user-call.ts';

export const updateUser = route(
  UserService.method.updateUser,
  (request) => [request.user?.id],
  async (call, { user }) => ({
    user: (await userAnswer(call, 'update', user as UserInput)).user,
  }),
);
