import type { UserInput } from '../../gen/guerdon/v1/types_pb.ts';
import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { route } from '../call.ts';
import { userAnswer } from './user-call.ts';

export const createUser = route(UserService.method.createUser, 'admin', async (call, { user }) => ({
  user: (await userAnswer(call, 'create', user as UserInput)).user,
}));
