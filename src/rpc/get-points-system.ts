import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { systemMessage } from './convert.ts';
import { currentProgram, systemOf } from './lookup.ts';

export const getPointsSystem = route(PointsService.method.getPointsSystem, 'project', async (call, request) => ({
  system: systemMessage(systemOf(await currentProgram(call), request.systemKey)),
}));
