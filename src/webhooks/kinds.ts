import type { AnnouncementKind } from '../db/entities/outbox.ts';

/** Every kind of announcement, and what its webhook events are called. */
export const EVENT_TYPES: Readonly<Record<AnnouncementKind, string>> = {
  points_changed: 'points.changed',
  level_changed: 'points.level_changed',
  boost_started: 'points.boost_started',
  boost_finished: 'points.boost_finished',
  achievement_completed: 'achievement.completed',
  streak_started: 'streak.started',
  streak_extended: 'streak.extended',
  streak_lost: 'streak.lost',
};

/** Undefined: no event is called so. */
export function kindOf(type: string): AnnouncementKind | undefined {
  return (Object.keys(EVENT_TYPES) as AnnouncementKind[]).find((kind) => EVENT_TYPES[kind] === type);
}
