import { Migration } from '@mikro-orm/migrations';

/** More types of triggers, and limits on what one pays. */
export class Migration004Triggers extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table trigger_usage (
    user_id bigint not null,
    trigger_id uuid not null,
    slot text not null,
    awards bigint not null,
    points bigint not null,
    at timestamptz(3) not null,
    primary key (user_id, trigger_id, slot),
    constraint trigger_usage_awards_positive check (awards > 0),
    constraint trigger_usage_slot_length check (length(slot) between 1 and 300)
  )`,
  `create table user_commands (
    user_id bigint not null,
    id uuid not null,
    mode text not null,
    created boolean not null,
    received_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    program_version integer not null,
    decision jsonb,
    primary key (user_id, id),
    constraint user_commands_mode_known check (mode in ('create', 'identify', 'update')),
    constraint user_commands_created_decided check (created = (decision is not null)),
    constraint user_commands_update_known check (mode <> 'update' or not created)
  )`,
  'create unique index user_commands_created_once on user_commands (user_id) where created',
  `create trigger user_commands_append_only before update or delete on user_commands
    for each row execute function refuse_change()`,
  `create trigger user_commands_no_truncate before truncate on user_commands
    for each statement execute function refuse_change()`,
  `comment on column user_commands.decision is 'What the user got for becoming known; null: was known before'`,

  'alter table entries drop constraint entries_award_caused',
  `alter table entries add constraint entries_award_caused check (
    kind <> 'award' or (trigger_id is not null and (event_id is not null) <> (command_id is not null)))`,

  'alter table refusals drop constraint refusals_kind_known',
  `alter table refusals add constraint refusals_kind_known check (kind in ('event', 'spend', 'adjust', 'user'))`,
  'alter table refusals drop constraint refusals_target',
  `alter table refusals add constraint refusals_target check (
    (kind = 'event') = (metric_id is not null) and (kind in ('spend', 'adjust')) = (system_id is not null))`,
  'alter table refusals drop constraint refusals_code_known',
  `alter table refusals add constraint refusals_code_known check (code in ('OUT_OF_POINTS', 'ABOVE_CAP',
    'TOTAL_OUT_OF_RANGE', 'BALANCE_OUT_OF_RANGE', 'IDEMPOTENCY_KEY_REUSED', 'POINTS_SYSTEM_UNKNOWN',
    'USER_EXISTS', 'USER_UNKNOWN'))`,

  `comment on table trigger_usage is
    'What a trigger with limits has paid a user: in a period, in a stretch of a cooldown, for a value of an attribute'`,
];
