import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import { route } from './call.ts';
import { systemMessage } from './convert.ts';
import { currentProgram } from './lookup.ts';
import { pageCursor, pageSize, pageToken } from './page.ts';

const LIST = 'points-systems';

export const listPointsSystems = route(PointsService.method.listPointsSystems, 'project', async (call, request) => {
  const { program } = await currentProgram(call);
  const after = pageCursor(LIST, request.pageToken, /^[a-zA-Z0-9_-]{1,64}$/) ?? '';
  const size = pageSize(request.pageSize);
  const rest = program.systems.filter((system) => system.key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, size);
  return {
    systems: page.map(systemMessage),
    nextPageToken: rest.length > size ? pageToken(LIST, page.at(-1)?.key ?? '') : '',
  };
});
