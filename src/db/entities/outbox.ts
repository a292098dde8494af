import { defineEntity, p } from '@mikro-orm/core';

export type AnnouncementKind =
  | 'points_changed'
  | 'level_changed'
  | 'boost_started'
  | 'boost_finished'
  | 'achievement_completed'
  | 'streak_started'
  | 'streak_extended'
  | 'streak_lost';

/** Ids, codes and numbers: nothing that is personal. What they stand for is looked up when it is told. */
export type AnnouncementPayload = Readonly<Record<string, unknown>>;

export const Outbox = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.bigint('string').primary(),
    projectId: p.bigint('string'),
    userId: p.bigint('string').nullable(),
    kind: p.text().$type<AnnouncementKind>(),
    payload: p.json<AnnouncementPayload>(),
    /** Names what happened, where it can be told only once. */
    causeKey: p.text().nullable(),
    createdAt: p.datetime(3),
  },
});
