import { Migration } from '@mikro-orm/migrations';

/** What the clock fires, streaks, achievements, and what levels give. */
export class Migration006Clocks extends Migration {
  override up(): void {
    for (const statement of [...clocks, ...streaks, ...rewards, ...appendOnly]) this.addSql(statement);
  }
}

const clocks = [
  'alter table programs add column era integer not null default 0',
  `comment on column programs.era is 'The version that began what this one has of triggers that the clock fires'`,

  `create table clocks (
    user_id bigint not null,
    system_id bigint not null,
    settled_at timestamptz(3) not null,
    running jsonb not null,
    due_at timestamptz(3),
    primary key (user_id, system_id)
  )`,
  'create index clocks_due on clocks (due_at) where due_at is not null',
  `comment on column clocks.running is
    'By trigger that runs below the cap: milliseconds of its last tick, or of when it began to run; null: it stands'`,
  `comment on column clocks.due_at is 'When a tick changes the balance next; null: none will, as things are'`,

  `create table settlements (
    user_id bigint not null,
    id uuid not null,
    until timestamptz(3) not null,
    created_at timestamptz(3) not null,
    after_seq bigint not null,
    program_version integer not null,
    record jsonb not null,
    primary key (user_id, id)
  )`,
  'create index settlements_id on settlements (id)',
  `comment on column settlements.id is 'Of the event or command that it was settled before'`,

  `create table clock_walks (
    project_id bigint primary key references projects,
    era integer not null,
    after_user bigint not null default 0,
    done boolean not null default false
  )`,
  `comment on table clock_walks is 'How far the users of a project are settled by an era of its program'`,
];

const streaks = [
  `create table streak_runs (
    user_id bigint not null,
    frequency text not null,
    first_period integer not null,
    last_period integer,
    primary key (user_id, frequency, first_period),
    constraint streak_runs_frequency_known check (frequency in ('daily', 'weekly', 'monthly')),
    constraint streak_runs_order check (last_period >= first_period)
  )`,
  `comment on column streak_runs.last_period is 'Null: it has become part of the run before it'`,

  `create table completions (
    user_id bigint not null,
    achievement_id uuid not null,
    id uuid not null,
    by_event boolean not null,
    at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    after_seq bigint not null,
    program_version integer not null,
    backdated boolean not null,
    decision jsonb,
    primary key (user_id, achievement_id),
    constraint completions_decided check (by_event = (decision is null)),
    constraint completions_backdated_by_event check (by_event or not backdated)
  )`,
  'create index completions_achievement on completions (achievement_id)',
  `comment on column completions.id is 'Of the event or the command that completed it'`,
];

const rewards = [
  `create table level_rewards (
    user_id bigint not null,
    system_id bigint not null,
    level_key text not null,
    created_at timestamptz(3) not null,
    primary key (user_id, system_id, level_key)
  )`,
  `comment on table level_rewards is 'Levels that have given what they give for being reached for the first time'`,

  'alter table commands add column decision jsonb',
  `comment on column commands.decision is 'What levels gave with it; null: nothing'`,

  'alter table entries drop constraint entries_kind_known',
  `alter table entries add constraint entries_kind_known
    check (kind in ('award', 'spend', 'adjust', 'expire', 'reverse', 'reward'))`,
  `alter table entries add constraint entries_reward_caused check (
    kind <> 'reward' or (trigger_id is null and amount > 0 and (event_id is not null) <> (command_id is not null)))`,

  'alter table refusals drop constraint refusals_kind_known',
  `alter table refusals add constraint refusals_kind_known
    check (kind in ('event', 'spend', 'adjust', 'user', 'complete'))`,
  'alter table refusals drop constraint refusals_code_known',
  `alter table refusals add constraint refusals_code_known check (code in ('OUT_OF_POINTS', 'ABOVE_CAP',
    'TOTAL_OUT_OF_RANGE', 'BALANCE_OUT_OF_RANGE', 'IDEMPOTENCY_KEY_REUSED', 'POINTS_SYSTEM_UNKNOWN',
    'USER_EXISTS', 'USER_UNKNOWN', 'ACHIEVEMENT_UNKNOWN', 'ACHIEVEMENT_NOT_FOR_USER'))`,
];

const appendOnly = ['settlements', 'completions', 'level_rewards'].flatMap((table) => [
  `create trigger ${table}_append_only before update or delete on ${table}
    for each row execute function refuse_change()`,
  `create trigger ${table}_no_truncate before truncate on ${table}
    for each statement execute function refuse_change()`,
]);
