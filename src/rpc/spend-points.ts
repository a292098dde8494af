import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { transactionAnswer } from './transaction.ts';

export const spendPoints = route(PointsService.method.spendPoints, 'admin', (call, request) =>
  transactionAnswer(call, 'spend', request),
);
