import { Migration } from '@mikro-orm/migrations';

/** Webhooks: endpoints, what each of them is to be told, and how telling it went. */
export class Migration007Webhooks extends Migration {
  override up(): void {
    for (const statement of [...announcements, ...webhooks, ...deliveries]) this.addSql(statement);
  }
}

const KIND_KNOWN = `kind in ('points_changed', 'level_changed', 'boost_started', 'boost_finished', 'achievement_completed',
  'streak_started', 'streak_extended', 'streak_lost')`;

const announcements = [
  // There was nobody to be told of what is in it.
  'delete from outbox',
  'alter table outbox drop constraint outbox_kind_known',
  `alter table outbox add constraint outbox_kind_known check (${KIND_KNOWN})`,
];

const webhooks = [
  `create table webhooks (
    id uuid primary key,
    project_id bigint not null references projects,
    name text not null,
    url text not null,
    kinds jsonb not null,
    points_interval integer not null,
    status text not null,
    paused_reason text,
    paused_at timestamptz(3),
    secret text not null,
    previous_secret text,
    previous_until timestamptz(3),
    failures integer not null default 0,
    failing_since timestamptz(3),
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    archived_at timestamptz(3),
    constraint webhooks_name_length check (length(name) between 1 and 255),
    constraint webhooks_url_length check (length(url) between 1 and 2048),
    constraint webhooks_points_interval_range check (points_interval between 0 and 86400),
    constraint webhooks_status_known check (status in ('active', 'paused')),
    constraint webhooks_paused_reason_known check (paused_reason in ('asked', 'dead', 'gone')),
    constraint webhooks_paused_why
      check ((status = 'paused') = (paused_reason is not null) and (status = 'paused') = (paused_at is not null)),
    constraint webhooks_previous_whole check ((previous_secret is null) = (previous_until is null)),
    constraint webhooks_failing check ((failures = 0) = (failing_since is null))
  )`,
  `comment on column webhooks.kinds is 'Of the announcements that it wants to be told; none: of all'`,
  `comment on column webhooks.points_interval is 'Seconds from one points_changed of a user and points system to the next'`,
  `comment on column webhooks.secret is 'As it is: signatures are made with it'`,
  `comment on column webhooks.failures is 'Attempts that failed since the last one that did not'`,
  'create index webhooks_project on webhooks (project_id, id)',
];

const deliveries = [
  `create table webhook_deliveries (
    webhook_id uuid not null references webhooks,
    event_id bigint not null,
    user_id bigint not null,
    kind text not null,
    payload jsonb not null,
    cause_key text,
    status text not null,
    tries integer not null default 0,
    created_at timestamptz(3) not null,
    finished_at timestamptz(3),
    primary key (webhook_id, event_id),
    constraint webhook_deliveries_kind_known check (${KIND_KNOWN}),
    constraint webhook_deliveries_status_known check (status in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_finished check ((status = 'pending') = (finished_at is null))
  )`,
  `comment on column webhook_deliveries.event_id is 'Of the outbox row that announced it'`,
  `comment on column webhook_deliveries.user_id is 'Whose deliveries keep their order; 0: of nobody'`,
  `comment on column webhook_deliveries.tries is 'Attempts since it was queued'`,
  `create unique index webhook_deliveries_cause_unique on webhook_deliveries (webhook_id, cause_key)
    where cause_key is not null`,
  `create index webhook_deliveries_pending on webhook_deliveries (webhook_id, user_id, event_id)
    where status = 'pending'`,
  'create index webhook_deliveries_status on webhook_deliveries (webhook_id, status, event_id)',
  'create index webhook_deliveries_finished on webhook_deliveries (finished_at) where finished_at is not null',

  `create table webhook_attempts (
    webhook_id uuid not null,
    event_id bigint not null,
    id bigint generated always as identity,
    at timestamptz(3) not null,
    duration_ms integer not null,
    status_code integer,
    error text,
    answer text not null,
    primary key (webhook_id, event_id, id),
    foreign key (webhook_id, event_id) references webhook_deliveries on delete cascade
  )`,
  `comment on column webhook_attempts.answer is 'How the body of the answer began, at most 1 KiB of it'`,

  `create table webhook_queues (
    webhook_id uuid not null references webhooks,
    user_id bigint not null,
    pending integer not null,
    due_at timestamptz(3) not null,
    lease uuid,
    primary key (webhook_id, user_id),
    constraint webhook_queues_pending_positive check (pending >= 0)
  )`,
  `comment on table webhook_queues is 'One row for all that a webhook is to be told of one user, in order: who holds it delivers'`,
  `comment on column webhook_queues.due_at is 'When its first delivery is tried; of one that is held, when it is given to another'`,
  'create index webhook_queues_due on webhook_queues (webhook_id, due_at)',

  `create table webhook_holds (
    webhook_id uuid not null references webhooks,
    user_id bigint not null,
    system_id bigint not null,
    until timestamptz(3) not null,
    event_id bigint,
    payload jsonb,
    created_at timestamptz(3),
    primary key (webhook_id, user_id, system_id),
    constraint webhook_holds_whole
      check ((event_id is null) = (payload is null) and (event_id is null) = (created_at is null))
  )`,
  `comment on table webhook_holds is 'Changes of points that are told together, when the interval of the webhook is over'`,
  'create index webhook_holds_until on webhook_holds (until)',
  'create index webhook_holds_due on webhook_holds (until) where event_id is not null',
];
