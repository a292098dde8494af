import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { transactionAnswer } from './transaction.ts';

export const adjustPoints = route(PointsService.method.adjustPoints, 'admin', (call, request) =>
  transactionAnswer(call, 'adjust', request),
);
