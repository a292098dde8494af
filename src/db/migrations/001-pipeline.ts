import { Migration } from '@mikro-orm/migrations';

/** Everything the award pipeline stands on. */
export class Migration001Pipeline extends Migration {
  override up(): void {
    for (const statement of [...configuration, ...users, ...ledger, ...intake, ...appendOnly]) this.addSql(statement);
  }
}

const KEY = `'^[a-zA-Z0-9_-]{1,64}$'`;
const POINTS_LIMIT = '9007199254740991';

const configuration = [
  `create table settings (
    name text primary key,
    value jsonb not null
  )`,
  `insert into settings (name, value) values
    ('lanes', '8'),
    ('deployment', to_jsonb(replace(gen_random_uuid()::text, '-', '')))`,

  `create table projects (
    id bigint generated always as identity primary key,
    key text not null constraint projects_key_unique unique,
    name text not null,
    time_zone text not null,
    keyless_events text not null default 'mark',
    program_version integer not null default 0,
    created_at timestamptz(3) not null,
    constraint projects_key_form check (key ~ ${KEY}),
    constraint projects_name_length check (length(name) between 1 and 255),
    constraint projects_keyless_events_known check (keyless_events in ('mark', 'warn', 'refuse'))
  )`,

  `create table api_keys (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    prefix text not null constraint api_keys_prefix_unique unique,
    hash bytea not null,
    kind text not null,
    name text not null,
    created_at timestamptz(3) not null,
    revoked_at timestamptz(3),
    constraint api_keys_prefix_form check (prefix ~ '^[a-zA-Z0-9_-]{1,32}$'),
    constraint api_keys_hash_length check (octet_length(hash) = 32),
    constraint api_keys_kind_known check (kind in ('admin'))
  )`,

  `create table attributes (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    kind text not null,
    key text not null,
    name text not null,
    created_at timestamptz(3) not null,
    constraint attributes_key_unique unique (project_id, kind, key),
    constraint attributes_key_form check (key ~ ${KEY}),
    constraint attributes_kind_known check (kind in ('user', 'event'))
  )`,

  `create table metrics (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    key text not null,
    name text not null,
    created_at timestamptz(3) not null,
    constraint metrics_key_unique unique (project_id, key),
    constraint metrics_key_form check (key ~ ${KEY})
  )`,

  `create table points_systems (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    key text not null,
    created_at timestamptz(3) not null,
    constraint points_systems_key_unique unique (project_id, key),
    constraint points_systems_key_form check (key ~ ${KEY})
  )`,

  `create table programs (
    project_id bigint not null references projects,
    version integer not null,
    snapshot jsonb not null,
    created_at timestamptz(3) not null,
    primary key (project_id, version),
    constraint programs_version_positive check (version > 0)
  )`,
];

const users = [
  `create table users (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    external_id text not null,
    name text,
    email text,
    zones jsonb not null default '[]',
    attributes jsonb not null default '{}',
    seq bigint not null default 0,
    event_hash bytea,
    created_at timestamptz(3),
    updated_at timestamptz(3) not null,
    constraint users_external_id_unique unique (project_id, external_id),
    constraint users_external_id_length check (length(external_id) between 1 and 255),
    constraint users_seq_range check (seq >= 0 and (seq = 0) = (event_hash is null)),
    constraint users_created_before_events check (seq = 0 or created_at is not null)
  )`,
  `comment on column users.created_at is
    'Receipt of the first command that was applied; null: the row only gives refused attempts an id'`,

  `create table user_boosts (
    user_id bigint not null references users,
    id uuid not null,
    system_id bigint not null references points_systems,
    name text not null,
    multiplier numeric(12, 9) not null,
    rounding text not null,
    exclusive boolean not null,
    start_time timestamptz(3),
    end_time timestamptz(3),
    start_date date,
    end_date date,
    zone text,
    created_at timestamptz(3) not null,
    archived_at timestamptz(3),
    primary key (user_id, id),
    constraint user_boosts_multiplier_range check (multiplier > 0 and multiplier < 100 and multiplier <> 1),
    constraint user_boosts_rounding_known check (rounding in ('down', 'up', 'nearest')),
    constraint user_boosts_zone_known check (zone in ('user', 'project')),
    constraint user_boosts_one_window check (
      (start_time is not null and start_date is null and end_date is null and zone is null) or
      (start_date is not null and start_time is null and end_time is null and zone is not null)
    ),
    constraint user_boosts_window_order check (
      (end_time is null or end_time >= start_time) and (end_date is null or end_date >= start_date)
    )
  )`,

  `create table metric_totals (
    user_id bigint not null,
    metric_id bigint not null references metrics,
    total numeric(27, 9) not null default 0,
    high numeric(27, 9) not null default 0,
    primary key (user_id, metric_id),
    constraint metric_totals_high check (high >= 0 and high >= total)
  )`,

  `create table trigger_counters (
    user_id bigint not null,
    trigger_id uuid not null,
    total numeric(27, 9) not null default 0,
    high numeric(27, 9) not null default 0,
    primary key (user_id, trigger_id),
    constraint trigger_counters_high check (high >= 0 and high >= total)
  )`,

  `create table events (
    user_id bigint not null,
    id uuid not null,
    seq bigint not null,
    metric_id bigint not null,
    keyed boolean not null,
    key text not null,
    value numeric(27, 9) not null,
    attributes jsonb not null,
    occurred_at timestamptz(3) not null,
    occurred_at_sent boolean not null,
    received_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    total_before numeric(27, 9) not null,
    total_after numeric(27, 9) not null,
    high_before numeric(27, 9) not null,
    high_after numeric(27, 9) not null,
    program_version integer not null,
    decision jsonb not null,
    hash_version smallint not null,
    hash bytea not null,
    primary key (user_id, id),
    constraint events_seq_unique unique (user_id, seq),
    constraint events_key_unique unique (user_id, metric_id, keyed, key),
    constraint events_seq_positive check (seq > 0),
    constraint events_key_length check (length(key) between 1 and 255),
    constraint events_total check (total_after = total_before + value),
    constraint events_high check (high_after = greatest(high_before, total_after)),
    constraint events_hash_length check (octet_length(hash) = 32)
  )`,
  `create index events_id on events (id)`,
];

const ledger = [
  `create table accounts (
    user_id bigint not null,
    system_id bigint not null references points_systems,
    balance bigint not null default 0,
    earned bigint not null default 0,
    version bigint not null default 0,
    hash bytea,
    primary key (user_id, system_id),
    constraint accounts_balance_range check (balance between -${POINTS_LIMIT} and ${POINTS_LIMIT}),
    constraint accounts_earned_range check (earned between 0 and ${POINTS_LIMIT}),
    constraint accounts_version_range check (version >= 0 and (version = 0) = (hash is null)),
    constraint accounts_untouched_empty check (version > 0 or (balance = 0 and earned = 0))
  )`,

  `create table commands (
    user_id bigint not null,
    id uuid not null,
    kind text not null,
    system_id bigint not null references points_systems,
    key text not null,
    amount bigint not null,
    reason text not null,
    received_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    program_version integer not null,
    after_seq bigint not null,
    entry_version bigint not null,
    level_before text,
    level_after text,
    primary key (user_id, id),
    constraint commands_key_unique unique (user_id, kind, system_id, key),
    constraint commands_kind_known check (kind in ('spend', 'adjust')),
    constraint commands_key_length check (length(key) between 1 and 255),
    constraint commands_amount_range check (
      amount <> 0 and amount between -${POINTS_LIMIT} and ${POINTS_LIMIT} and (kind <> 'spend' or amount > 0)
    )
  )`,
  `comment on column commands.after_seq is 'The user''s event seq when it was applied: its place in the order of application'`,

  `create table entries (
    user_id bigint not null,
    system_id bigint not null,
    version bigint not null,
    kind text not null,
    amount bigint not null,
    balance_after bigint not null,
    cause_key text not null,
    event_id uuid,
    trigger_id uuid,
    command_id uuid,
    reverses bigint,
    occurred_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    hash_version smallint not null,
    hash bytea not null,
    primary key (user_id, system_id, version),
    constraint entries_cause_unique unique (user_id, system_id, cause_key),
    constraint entries_version_positive check (version > 0),
    constraint entries_kind_known check (kind in ('award', 'spend', 'adjust', 'expire', 'reverse')),
    constraint entries_amount_range check (amount <> 0 and amount between -${POINTS_LIMIT} and ${POINTS_LIMIT}),
    constraint entries_spend_negative check (kind <> 'spend' or amount < 0),
    constraint entries_reverses_known check ((kind = 'reverse') = (reverses is not null)),
    constraint entries_award_caused check (kind <> 'award' or (event_id is not null and trigger_id is not null)),
    constraint entries_command_caused check (kind not in ('spend', 'adjust') or command_id is not null),
    constraint entries_hash_length check (octet_length(hash) = 32)
  )`,

  'create unique index entries_reverses_unique on entries (user_id, system_id, reverses) where reverses is not null',

  // Accounts follow entries, by the database itself: each new entry must be the next version and carry the balance
  // that the one before it and its own amount add up to. Only upserts touch `accounts`, since a SELECT here would put
  // predicate locks on pages that other lanes write.
  `create function post_entries() returns trigger language plpgsql set enable_hashjoin = on as $$
  declare
    broken record;
  begin
    with steps as (
      select user_id, system_id, version, balance_after, hash,
        count(*) over account as steps,
        row_number() over history as step,
        sum(amount) over history as running,
        sum(case when amount > 0 and kind <> 'reverse' then amount else 0 end) over history as earned
      from new_entries
      window account as (partition by user_id, system_id),
        history as (partition by user_id, system_id order by version)
    ), posted as (
      insert into accounts as a (user_id, system_id, balance, earned, version, hash)
      select user_id, system_id, running, earned, steps, hash from steps where step = steps
      order by user_id, system_id
      on conflict (user_id, system_id) do update set
        balance = a.balance + excluded.balance,
        earned = a.earned + excluded.earned,
        version = a.version + excluded.version,
        hash = excluded.hash
      returning user_id, system_id, balance, version
    )
    select s.user_id, s.system_id, s.version into broken
    from (
      select *, sum(running) filter (where step = steps) over (partition by user_id, system_id) as total from steps
    ) s
    join posted p using (user_id, system_id)
    where s.version <> p.version - s.steps + s.step or s.balance_after <> p.balance - s.total + s.running
    order by 1, 2, 3
    limit 1;
    if found then
      raise exception 'entry (%, %, %) does not continue its account',
        broken.user_id, broken.system_id, broken.version
        using errcode = 'check_violation', constraint = 'entries_chain', table = 'entries';
    end if;
    return null;
  end $$`,
  `create trigger entries_post after insert on entries referencing new table as new_entries
    for each statement execute function post_entries()`,

  `create function refuse_direct_posting() returns trigger language plpgsql as $$
  begin
    if pg_trigger_depth() < 2 then
      raise exception 'accounts change only by entries'
        using errcode = 'check_violation', constraint = 'accounts_follow_entries', table = 'accounts';
    end if;
    return new;
  end $$`,
  `create trigger accounts_follow_entries_insert before insert on accounts for each row
    when (new.version <> 0) execute function refuse_direct_posting()`,
  `create trigger accounts_follow_entries_update before update on accounts for each row
    when ((new.balance, new.earned, new.version, new.hash)
      is distinct from (old.balance, old.earned, old.version, old.hash))
    execute function refuse_direct_posting()`,
];

const intake = [
  `create table refusals (
    user_id bigint not null,
    id uuid not null,
    kind text not null,
    metric_id bigint,
    system_id bigint,
    keyed boolean not null,
    key text not null,
    value numeric(27, 9) not null,
    attributes jsonb not null,
    occurred_at timestamptz(3) not null,
    received_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    program_version integer not null,
    code text not null,
    detail jsonb not null,
    primary key (user_id, id),
    constraint refusals_kind_known check (kind in ('event', 'spend', 'adjust')),
    constraint refusals_target check ((kind = 'event') = (metric_id is not null) and
      (kind = 'event') = (system_id is null)),
    constraint refusals_code_known check (code in
      ('OUT_OF_POINTS', 'ABOVE_CAP', 'TOTAL_OUT_OF_RANGE', 'BALANCE_OUT_OF_RANGE', 'IDEMPOTENCY_KEY_REUSED'))
  )`,
  `create index refusals_id on refusals (id)`,

  `create table poisoned (
    id uuid primary key,
    project_id bigint not null,
    command jsonb not null,
    error text not null,
    created_at timestamptz(3) not null
  )`,

  `create table inbox (
    id uuid primary key,
    project_id bigint not null references projects,
    command jsonb not null,
    accepted_at timestamptz(3) not null,
    queued_at timestamptz(3) not null
  )`,
  `create index inbox_queued_at on inbox (queued_at)`,

  `create table outbox (
    id bigint generated always as identity primary key,
    project_id bigint not null,
    user_id bigint not null,
    kind text not null,
    payload jsonb not null,
    created_at timestamptz(3) not null,
    constraint outbox_kind_known check (kind in ('level_changed'))
  )`,
];

const appendOnly = [
  `create function refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception '% is append-only', tg_table_name
      using errcode = 'restrict_violation', constraint = tg_name, table = tg_table_name;
  end $$`,
  ...['events', 'entries', 'commands', 'refusals', 'programs'].flatMap((table) => [
    `create trigger ${table}_append_only before update or delete on ${table}
      for each row execute function refuse_change()`,
    `create trigger ${table}_no_truncate before truncate on ${table}
      for each statement execute function refuse_change()`,
  ]),
];
