import { PointsService } from '../../gen/guerdon/v1/points_service_pb.ts';
import type { Level } from '../../gen/guerdon/v1/types_pb.ts';
import { currentProgram, systemOf } from '../../rpc/lookup.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { levelShape } from '../shapes/level.ts';

/** As many as a points system may have. */
const PAGE_SIZE = 200;

export async function listLevels({ call, path }: RestCall): Promise<Answer> {
  const { id, key } = systemOf(await currentProgram(call), path.key as string);
  const { levels } = await rpc(call, PointsService.method.listLevels, { systemKey: key, pageSize: PAGE_SIZE });
  return { body: levels.map((level) => levelShape(id, level)) };
}

export async function getLevelSummary({ call, path }: RestCall): Promise<Answer> {
  const { id, key } = systemOf(await currentProgram(call), path.key as string);
  const { levels } = await rpc(call, PointsService.method.getLevelSummary, { systemKey: key });
  return {
    body: levels.map(({ level, users }) => ({ level: levelShape(id, level as Level), users: Number(users) })),
  };
}
