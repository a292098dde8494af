import { levelId } from '../../contract-ids.ts';
import type { Level } from '../../gen/guerdon/v1/types_pb.ts';
import { badgeShape, badgeUrlShape } from './badge.ts';

export function levelShape(systemId: string, { key, name, description, badgeUrl, points }: Level) {
  return {
    id: levelId(systemId, key),
    key,
    name,
    description,
    badgeUrl: badgeUrlShape(badgeUrl),
    points: Number(points),
  };
}

export function adminLevelShape(systemId: string, { key, name, description, badgeUrl, points }: Level) {
  return { id: levelId(systemId, key), name, key, points: Number(points), description, badge: badgeShape(badgeUrl) };
}
