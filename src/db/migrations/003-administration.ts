import { Migration } from '@mikro-orm/migrations';

/** Administration over the API: keys of several kinds, projects that can be archived, boosts with a schedule. */
export class Migration003Administration extends Migration {
  override up(): void {
    for (const statement of [...keys, ...audit, ...boosts, ...announcements]) this.addSql(statement);
  }
}

const keys = [
  'alter table projects add column archived_at timestamptz(3)',

  'alter table api_keys add column user_id text',
  'alter table api_keys drop constraint api_keys_kind_known',
  `alter table api_keys add constraint api_keys_kind_known check (kind in ('owner', 'admin', 'application'))`,
  `alter table api_keys add constraint api_keys_application_user check ((kind = 'application') = (user_id is not null))`,
  'alter table api_keys add constraint api_keys_user_id_length check (length(user_id) between 1 and 255)',
  `comment on column api_keys.user_id is 'The app''s own id of the user that an application key is bound to'`,
  'create index api_keys_project on api_keys (project_id, id)',
  `update api_keys set kind = 'owner' where id = (select min(id) from api_keys where revoked_at is null)`,
];

const audit = [
  'alter table audit alter column program_version drop not null',
  'alter table audit add column user_id bigint',
  `comment on column audit.user_id is 'Whom a boost of one user is for'`,
];

const STATUS = `status in ('scheduled', 'active', 'finished')`;

const boosts = [
  `alter table user_boosts
    add column status text not null default 'scheduled',
    add column starts_at timestamptz(3),
    add column ends_at timestamptz(3),
    add column due_at timestamptz(3),
    add column updated_at timestamptz(3)`,
  `update user_boosts set
    starts_at = coalesce(start_time, start_date::timestamp at time zone 'UTC'),
    ends_at = coalesce(end_time, (end_date + 1)::timestamp at time zone 'UTC'),
    due_at = coalesce(start_time, start_date::timestamp at time zone 'UTC'),
    updated_at = created_at`,
  `alter table user_boosts
    alter column status drop default,
    alter column starts_at set not null,
    alter column updated_at set not null,
    add constraint user_boosts_status_known check (${STATUS}),
    add constraint user_boosts_name_length check (length(name) between 1 and 255)`,
  'create unique index user_boosts_id on user_boosts (id)',
  'create index user_boosts_system on user_boosts (system_id, id)',
  'create index user_boosts_due on user_boosts (due_at) where due_at is not null',

  `create table global_boosts (
    project_id bigint not null references projects,
    id uuid not null constraint global_boosts_id_unique unique,
    system_id bigint not null references points_systems,
    name text not null,
    multiplier numeric(12, 9) not null,
    rounding text not null,
    exclusive boolean not null,
    user_attributes jsonb not null,
    start_time timestamptz(3),
    end_time timestamptz(3),
    start_date date,
    end_date date,
    zone text,
    status text not null,
    starts_at timestamptz(3) not null,
    ends_at timestamptz(3),
    due_at timestamptz(3),
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    archived_at timestamptz(3),
    primary key (project_id, id),
    constraint global_boosts_multiplier_range check (multiplier > 0 and multiplier < 100 and multiplier <> 1),
    constraint global_boosts_rounding_known check (rounding in ('down', 'up', 'nearest')),
    constraint global_boosts_zone_known check (zone in ('user', 'project')),
    constraint global_boosts_one_window check (
      (start_time is not null and start_date is null and end_date is null and zone is null) or
      (start_date is not null and start_time is null and end_time is null and zone is not null)
    ),
    constraint global_boosts_window_order check (
      (end_time is null or end_time >= start_time) and (end_date is null or end_date >= start_date)
    ),
    constraint global_boosts_status_known check (${STATUS}),
    constraint global_boosts_name_length check (length(name) between 1 and 255)
  )`,
  'create index global_boosts_system on global_boosts (system_id, id)',
  'create index global_boosts_due on global_boosts (due_at) where due_at is not null',
  ...['user_boosts', 'global_boosts'].flatMap((table) => [
    `comment on column ${table}.starts_at is 'The window as instants, by the zones known when it was resolved'`,
    `comment on column ${table}.due_at is 'When its status changes next; null: never again'`,
  ]),

  `create table zone_changes (
    id bigint generated always as identity primary key,
    project_id bigint not null,
    user_id bigint
  )`,
  `comment on table zone_changes is 'Of a user, or where there is none of the project: windows of days are to be resolved anew'`,
];

const announcements = [
  'alter table outbox alter column user_id drop not null',
  'alter table outbox add column cause_key text',
  `create unique index outbox_cause_unique on outbox (cause_key) where cause_key is not null`,
  'alter table outbox drop constraint outbox_kind_known',
  `alter table outbox add constraint outbox_kind_known
    check (kind in ('level_changed', 'boost_started', 'boost_finished'))`,
];
