import { PointsService } from '../gen/guerdon/v1/points_service_pb.ts';
import type { Level } from '../rules/types.ts';
import { route } from './call.ts';
import { levelMessage } from './convert.ts';
import { currentProgram, systemOf } from './lookup.ts';
import { pageOf } from './page.ts';

/** Places in the list with as many digits each, so that they sort as text. */
const PLACE_DIGITS = 4;

export const listLevels = route(PointsService.method.listLevels, 'project', async (call, request) => {
  const { id, levels } = systemOf(await currentProgram(call), request.systemKey);
  const places = new Map(levels.map((level, place) => [level, String(place + 1).padStart(PLACE_DIGITS, '0')]));
  const cursor = (level: Level) => places.get(level) as string;
  const { page, nextPageToken } = pageOf(`levels ${id}`, request, levels, cursor, /^[0-9]{4}$/);
  return { levels: page.map(levelMessage), nextPageToken };
});
