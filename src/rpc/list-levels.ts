import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { levelMessage } from './convert.ts';
import { currentProgram, systemOf } from './lookup.ts';

export const listLevels = route(PointsService.method.listLevels, 'project', async (call, request) => ({
  levels: systemOf(await currentProgram(call), request.systemKey).levels.map(levelMessage),
}));
