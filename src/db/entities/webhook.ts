import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { AnnouncementKind } from './outbox.ts';
import { Project } from './project.ts';

export const Webhook = defineEntity({
  name: 'Webhook',
  tableName: 'webhooks',
  properties: {
    id: p.uuid().primary(),
    project: () => p.manyToOne(Project),
    name: p.text(),
    url: p.text(),
    /** None: all. */
    kinds: p.json<readonly AnnouncementKind[]>(),
    /** Seconds from one points_changed of a user and points system to the next. */
    pointsInterval: p.integer(),
    status: p.text().$type<'active' | 'paused'>(),
    pausedReason: p.text().$type<'asked' | 'dead' | 'gone'>().nullable(),
    pausedAt: p.datetime(3).nullable(),
    secret: p.text(),
    previousSecret: p.text().nullable(),
    previousUntil: p.datetime(3).nullable(),
    /** Attempts that failed since the last one that did not. */
    failures: p.integer().defaultRaw('0'),
    failingSince: p.datetime(3).nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    archivedAt: p.datetime(3).nullable(),
  },
});

export type WebhookRecord = InferEntity<typeof Webhook>;
