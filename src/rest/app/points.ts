import { invalid } from '../../errors.ts';
import { PointsService } from '../../gen/guerdon/v1/points_service_pb.ts';
import { currentProgram, systemOf } from '../../rpc/lookup.ts';
import { type Answer, type RestCall, rpc } from '../route.ts';
import { levelShape } from '../shapes/level.ts';
import { awardShapes, systemShape } from '../shapes/points.ts';
import { triggerTeller } from '../shapes/trigger.ts';
import { type SummaryQuery, summaryRequest } from './summary.ts';

export async function getUserPoints({ call, path, query }: RestCall): Promise<Answer> {
  const userId = path.id as string;
  const { awards = 10 } = query as { awards?: number };
  const system = systemOf(await currentProgram(call), path.key as string);
  const found = await rpc(call, PointsService.method.getUserPoints, { userId, systemKey: system.key, awards });
  return {
    body: {
      ...systemShape(system),
      total: Number(found.total),
      level: found.level === undefined ? null : levelShape(system.id, found.level),
      awards: await awardShapes(call, system, userId, found.awards),
    },
  };
}

export async function getPointsEventSummary({ call, path, query }: RestCall): Promise<Answer> {
  const { periods } = await rpc(call, PointsService.method.getUserPointsEventSummary, {
    userId: path.id as string,
    systemKey: path.key as string,
    ...summaryRequest(query as unknown as SummaryQuery),
  });
  return {
    body: periods.map(({ date, total, change }) => ({ date, total: Number(total), change: Number(change) })),
  };
}

export async function getPointsSystem({ call, path }: RestCall): Promise<Answer> {
  await rpc(call, PointsService.method.getPointsSystem, { systemKey: path.key as string });
  const system = systemOf(await currentProgram(call), path.key as string);
  return { body: { ...systemShape(system), triggers: (await triggerTeller(call, system)).active() } };
}

export async function getPointsSummary({ call, path, query }: RestCall): Promise<Answer> {
  const { ranges } = await rpc(call, PointsService.method.getPointsSummary, {
    systemKey: path.key as string,
    userAttributes: attributePairs(query.userAttributes as string | undefined),
  });
  return {
    body: ranges.map(({ from, to, users }) => ({ from: Number(from), to: Number(to), users: Number(users) })),
  };
}

/** `key:value,key:value`; a value may have colons in it, and no comma. */
function attributePairs(text: string | undefined): { key: string; value: string }[] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((pair) => {
    const [, key, value] = /^([^:]+):(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      throw invalid([{ field: 'userAttributes', description: 'must be like plan:pro,region:eu' }]);
    }
    return { key, value };
  });
}
