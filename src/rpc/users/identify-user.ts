import type { UserInput } from '../../gen/guerdon/v1/types_pb.ts';
import { UserService } from '../../gen/guerdon/v1/user_service_pb.ts';
import { route } from '../call.ts';
import { userAnswer } from './user-call.ts';

export const identifyUser = route(
  UserService.method.identifyUser,
  (request) => [request.user?.id],
  (call, { user }) => userAnswer(call, 'identify', user as UserInput),
);
