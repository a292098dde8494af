import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { systemMessage } from './convert.ts';
import { currentProgram } from './lookup.ts';
import { KEY_CURSOR, pageOf } from './page.ts';

export const listPointsSystems = route(PointsService.method.listPointsSystems, 'project', async (call, request) => {
  const { program } = await currentProgram(call);
  const { page, nextPageToken } = pageOf('points-systems', request, program.systems, ({ key }) => key, KEY_CURSOR);
  return { systems: page.map(systemMessage), nextPageToken };
});
