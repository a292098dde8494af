import { Account } from './account.ts';
import { ApiKey } from './api-key.ts';
import { Attribute } from './attribute.ts';
import { Audit } from './audit.ts';
import { Command } from './command.ts';
import { Entry } from './entry.ts';
import { Event } from './event.ts';
import { GlobalBoost } from './global-boost.ts';
import { Inbox } from './inbox.ts';
import { LevelChange } from './level-change.ts';
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
import { TriggerCounter } from './trigger-counter.ts';
import { TriggerUsage } from './trigger-usage.ts';
import { User } from './user.ts';
import { UserBoost } from './user-boost.ts';
import { UserCommand } from './user-command.ts';
import { UserImport } from './user-import.ts';
import { ZoneChange } from './zone-change.ts';

/** All tables, for MikroORM. */
export const entities = [
  Account,
  ApiKey,
  Attribute,
  Audit,
  Command,
  Entry,
  Event,
  GlobalBoost,
  Inbox,
  LevelChange,
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
  TriggerCounter,
  TriggerUsage,
  User,
  UserBoost,
  UserCommand,
  UserImport,
  ZoneChange,
];
