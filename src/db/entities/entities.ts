import { Account } from './account.ts';
import { ApiKey } from './api-key.ts';
import { Attribute } from './attribute.ts';
import { Audit } from './audit.ts';
import { Clock } from './clock.ts';
import { ClockWalk } from './clock-walk.ts';
import { Command } from './command.ts';
import { Completion } from './completion.ts';
import { Entry } from './entry.ts';
import { Event } from './event.ts';
import { GlobalBoost } from './global-boost.ts';
import { Import } from './import.ts';
import { ImportOutcome } from './import-outcome.ts';
import { ImportPart } from './import-part.ts';
import { ImportRow } from './import-row.ts';
import { Inbox } from './inbox.ts';
import { LevelChange } from './level-change.ts';
import { LevelReward } from './level-reward.ts';
import { Metric } from './metric.ts';
import { MetricTotal } from './metric-total.ts';
import { Outbox } from './outbox.ts';
import { PointsSystem } from './points-system.ts';
import { Poisoned } from './poisoned.ts';
import { Program } from './program.ts';
import { Project } from './project.ts';
import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { Setting } from './setting.ts';
import { Settlement } from './settlement.ts';
import { StreakRun } from './streak-run.ts';
import { TriggerCounter } from './trigger-counter.ts';
import { TriggerUsage } from './trigger-usage.ts';
import { User } from './user.ts';
import { UserBoost } from './user-boost.ts';
import { UserCommand } from './user-command.ts';

import { UserImport } from './user-import.ts';

import { Webhook } from './webhook.ts';
import { WebhookAttempt } from './webhook-attempt.ts';
import { WebhookDelivery } from './webhook-delivery.ts';
import { WebhookHold } from './webhook-hold.ts';
import { WebhookQueue } from './webhook-queue.ts';

import { ZoneChange } from './zone-change.ts';

/** All tables, for MikroORM. */
export const entities = [
  Account,
  ApiKey,
  Attribute,
  Audit,
  Clock,
  ClockWalk,
  Command,
  Completion,
  Entry,
  Event,
  GlobalBoost,
  Import,
  ImportOutcome,
  ImportPart,
  ImportRow,
  Inbox,
  LevelChange,
  LevelReward,
  Metric,
  MetricTotal,
  Outbox,
  PointsSystem,
  Poisoned,
  Program,
  Project,
  RateLimit,
  Refusal,
  Setting,
  Settlement,
  StreakRun,
  TriggerCounter,
  TriggerUsage,
  User,
  UserBoost,
  UserCommand,
  UserImport,
  Webhook,
  WebhookAttempt,
  WebhookDelivery,
  WebhookHold,
  WebhookQueue,
  ZoneChange,
];
