import type { Level } from '../../gen/guerdon/v1/types_pb.ts';
import { levelId } from '../ids.ts';

export function levelShape(systemId: string, { key, name, description, points }: Level) {
  return { id: levelId(systemId, key), key, name, description, badgeUrl: null, points: Number(points) };
}

export function adminLevelShape(systemId: string, { key, name, description, points }: Level) {
  return { id: levelId(systemId, key), name, key, points: Number(points), description, badge: null };
}
