create table accounts (
  user_id bigint not null,
  system_id bigint not null,
  balance bigint not null default 0,
  earned bigint not null default 0,
  version bigint not null default 0,
  hash bytea,
  constraint accounts_pkey PRIMARY KEY (user_id, system_id),
  constraint accounts_system_id_fkey FOREIGN KEY (system_id) REFERENCES points_systems(id),
  constraint accounts_balance_range CHECK (((balance >= '-9007199254740991'::bigint) AND (balance <= '9007199254740991'::bigint))),
  constraint accounts_earned_range CHECK (((earned >= 0) AND (earned <= '9007199254740991'::bigint))),
  constraint accounts_untouched_empty CHECK (((version > 0) OR ((balance = 0) AND (earned = 0)))),
  constraint accounts_version_range CHECK (((version >= 0) AND ((version = 0) = (hash IS NULL))))
);

create table api_keys (
  id bigint generated always as identity not null,
  project_id bigint not null,
  prefix text not null,
  hash bytea not null,
  kind text not null,
  name text not null,
  created_at timestamp(3) with time zone not null,
  revoked_at timestamp(3) with time zone,
  user_id text,
  last_used_at timestamp(3) with time zone,
  expires_at timestamp(3) with time zone,
  replaces text,
  rate_requests integer,
  rate_seconds integer,
  constraint api_keys_prefix_unique UNIQUE (prefix),
  constraint api_keys_replaces_unique UNIQUE (replaces),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint api_keys_application_user CHECK (((kind = 'application'::text) = (user_id IS NOT NULL))),
  constraint api_keys_hash_length CHECK ((octet_length(hash) = 32)),
  constraint api_keys_kind_known CHECK ((kind = ANY (ARRAY['owner'::text, 'admin'::text, 'application'::text]))),
  constraint api_keys_prefix_form CHECK ((prefix ~ '^[a-zA-Z0-9_-]{1,32}$'::text)),
  constraint api_keys_rate_range CHECK ((((rate_requests = 0) AND (rate_seconds = 0)) OR (((rate_requests >= 1) AND (rate_requests <= 1000000)) AND ((rate_seconds >= 1) AND (rate_seconds <= 86400))))),
  constraint api_keys_rate_whole CHECK (((rate_requests IS NULL) = (rate_seconds IS NULL))),
  constraint api_keys_replaces_another CHECK ((replaces <> prefix)),
  constraint api_keys_user_id_length CHECK (((length(user_id) >= 1) AND (length(user_id) <= 255)))
);
CREATE INDEX api_keys_project ON public.api_keys USING btree (project_id, id);

create table attributes (
  id bigint generated always as identity not null,
  project_id bigint not null,
  kind text not null,
  key text not null,
  name text not null,
  created_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  constraint attributes_key_unique UNIQUE (project_id, kind, key),
  constraint attributes_pkey PRIMARY KEY (id),
  constraint attributes_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint attributes_key_form CHECK ((key ~ '^[a-zA-Z0-9_-]{1,64}$'::text)),
  constraint attributes_kind_known CHECK ((kind = ANY (ARRAY['user'::text, 'event'::text])))
);

create table audit (
  project_id bigint not null,
  id bigint generated always as identity not null,
  at timestamp(3) with time zone not null,
  actor text not null,
  action text not null,
  kind text not null,
  key text not null,
  fields jsonb not null,
  program_version integer,
  user_id bigint,
  constraint audit_pkey PRIMARY KEY (project_id, id),
  constraint audit_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint audit_action_known CHECK ((action = ANY (ARRAY['create'::text, 'update'::text, 'archive'::text]))),
  constraint audit_actor_length CHECK (((length(actor) >= 1) AND (length(actor) <= 255)))
);

create table clock_walks (
  project_id bigint not null,
  era integer not null,
  after_user bigint not null default 0,
  done boolean not null default false,
  constraint clock_walks_pkey PRIMARY KEY (project_id),
  constraint clock_walks_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id)
);

create table clocks (
  user_id bigint not null,
  system_id bigint not null,
  settled_at timestamp(3) with time zone not null,
  running jsonb not null,
  due_at timestamp(3) with time zone,
  constraint clocks_pkey PRIMARY KEY (user_id, system_id)
);
CREATE INDEX clocks_due ON public.clocks USING btree (due_at) WHERE (due_at IS NOT NULL);

create table commands (
  user_id bigint not null,
  id uuid not null,
  kind text not null,
  system_id bigint not null,
  key text not null,
  amount bigint not null,
  reason text not null,
  received_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  program_version integer not null,
  after_seq bigint not null,
  entry_version bigint not null,
  level_before text,
  level_after text,
  decision jsonb,
  constraint commands_key_unique UNIQUE (user_id, kind, system_id, key),
  constraint commands_pkey PRIMARY KEY (user_id, id),
  constraint commands_system_id_fkey FOREIGN KEY (system_id) REFERENCES points_systems(id),
  constraint commands_amount_range CHECK (((amount <> 0) AND ((amount >= '-9007199254740991'::bigint) AND (amount <= '9007199254740991'::bigint)) AND ((kind <> 'spend'::text) OR (amount > 0)))),
  constraint commands_key_length CHECK (((length(key) >= 1) AND (length(key) <= 255))),
  constraint commands_kind_known CHECK ((kind = ANY (ARRAY['spend'::text, 'adjust'::text])))
);

create table completions (
  user_id bigint not null,
  achievement_id uuid not null,
  id uuid not null,
  by_event boolean not null,
  at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  after_seq bigint not null,
  program_version integer not null,
  backdated boolean not null,
  decision jsonb,
  constraint completions_pkey PRIMARY KEY (user_id, achievement_id),
  constraint completions_backdated_by_event CHECK ((by_event OR (NOT backdated))),
  constraint completions_decided CHECK ((by_event = (decision IS NULL)))
);
CREATE INDEX completions_achievement ON public.completions USING btree (achievement_id);

create table entries (
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
  occurred_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  hash_version smallint not null,
  hash bytea not null,
  earned bigint,
  constraint entries_cause_unique UNIQUE (user_id, system_id, cause_key),
  constraint entries_pkey PRIMARY KEY (user_id, system_id, version),
  constraint entries_amount_range CHECK ((((amount <> 0) OR (kind = 'import'::text)) AND ((amount >= '-9007199254740991'::bigint) AND (amount <= '9007199254740991'::bigint)))),
  constraint entries_award_caused CHECK (((kind <> 'award'::text) OR ((trigger_id IS NOT NULL) AND ((event_id IS NOT NULL) <> (command_id IS NOT NULL))))),
  constraint entries_command_caused CHECK (((kind <> ALL (ARRAY['spend'::text, 'adjust'::text])) OR (command_id IS NOT NULL))),
  constraint entries_earned_imported CHECK (((kind = 'import'::text) = (earned IS NOT NULL))),
  constraint entries_earned_range CHECK (((earned >= GREATEST(amount, (0)::bigint)) AND (earned <= '9007199254740991'::bigint))),
  constraint entries_hash_length CHECK ((octet_length(hash) = 32)),
  constraint entries_import_opens CHECK (((kind <> 'import'::text) OR ((version = 1) AND (cause_key = 'import'::text) AND (command_id IS NOT NULL) AND (event_id IS NULL) AND (trigger_id IS NULL)))),
  constraint entries_kind_known CHECK ((kind = ANY (ARRAY['award'::text, 'spend'::text, 'adjust'::text, 'expire'::text, 'reverse'::text, 'reward'::text, 'import'::text]))),
  constraint entries_reverses_known CHECK (((kind = 'reverse'::text) = (reverses IS NOT NULL))),
  constraint entries_reward_caused CHECK (((kind <> 'reward'::text) OR ((trigger_id IS NULL) AND (amount > 0) AND ((event_id IS NOT NULL) <> (command_id IS NOT NULL))))),
  constraint entries_spend_negative CHECK (((kind <> 'spend'::text) OR (amount < 0))),
  constraint entries_version_positive CHECK ((version > 0))
);
CREATE UNIQUE INDEX entries_reverses_unique ON public.entries USING btree (user_id, system_id, reverses) WHERE (reverses IS NOT NULL);

create table events (
  user_id bigint not null,
  id uuid not null,
  seq bigint not null,
  metric_id bigint not null,
  keyed boolean not null,
  key text not null,
  value numeric(27,9) not null,
  attributes jsonb not null,
  occurred_at timestamp(3) with time zone not null,
  occurred_at_sent boolean not null,
  received_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  total_before numeric(27,9) not null,
  total_after numeric(27,9) not null,
  high_before numeric(27,9) not null,
  high_after numeric(27,9) not null,
  program_version integer not null,
  decision jsonb not null,
  hash_version smallint not null,
  hash bytea not null,
  constraint events_key_unique UNIQUE (user_id, metric_id, keyed, key),
  constraint events_seq_unique UNIQUE (user_id, seq),
  constraint events_pkey PRIMARY KEY (user_id, id),
  constraint events_hash_length CHECK ((octet_length(hash) = 32)),
  constraint events_high CHECK ((high_after = GREATEST(high_before, total_after))),
  constraint events_key_length CHECK (((length(key) >= 1) AND (length(key) <= 255))),
  constraint events_seq_positive CHECK ((seq > 0)),
  constraint events_total CHECK ((total_after = (total_before + value)))
);
CREATE INDEX events_id ON public.events USING btree (id);

create table global_boosts (
  project_id bigint not null,
  id uuid not null,
  system_id bigint not null,
  name text not null,
  multiplier numeric(12,9) not null,
  rounding text not null,
  exclusive boolean not null,
  user_attributes jsonb not null,
  start_time timestamp(3) with time zone,
  end_time timestamp(3) with time zone,
  start_date date,
  end_date date,
  zone text,
  status text not null,
  starts_at timestamp(3) with time zone not null,
  ends_at timestamp(3) with time zone,
  due_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  constraint global_boosts_id_unique UNIQUE (id),
  constraint global_boosts_pkey PRIMARY KEY (project_id, id),
  constraint global_boosts_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint global_boosts_system_id_fkey FOREIGN KEY (system_id) REFERENCES points_systems(id),
  constraint global_boosts_multiplier_range CHECK (((multiplier > (0)::numeric) AND (multiplier < (100)::numeric) AND (multiplier <> (1)::numeric))),
  constraint global_boosts_name_length CHECK (((length(name) >= 1) AND (length(name) <= 255))),
  constraint global_boosts_one_window CHECK ((((start_time IS NOT NULL) AND (start_date IS NULL) AND (end_date IS NULL) AND (zone IS NULL)) OR ((start_date IS NOT NULL) AND (start_time IS NULL) AND (end_time IS NULL) AND (zone IS NOT NULL)))),
  constraint global_boosts_rounding_known CHECK ((rounding = ANY (ARRAY['down'::text, 'up'::text, 'nearest'::text]))),
  constraint global_boosts_status_known CHECK ((status = ANY (ARRAY['scheduled'::text, 'active'::text, 'finished'::text]))),
  constraint global_boosts_window_order CHECK ((((end_time IS NULL) OR (end_time >= start_time)) AND ((end_date IS NULL) OR (end_date >= start_date)))),
  constraint global_boosts_zone_known CHECK ((zone = ANY (ARRAY['user'::text, 'project'::text])))
);
CREATE INDEX global_boosts_due ON public.global_boosts USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX global_boosts_system ON public.global_boosts USING btree (system_id, id);

create table import_outcomes (
  import_id uuid not null,
  line bigint not null,
  part smallint,
  outcome text not null,
  event_id uuid,
  code text,
  detail jsonb,
  source text,
  constraint import_outcomes_pkey PRIMARY KEY (import_id, line),
  constraint import_outcomes_known CHECK ((outcome = ANY (ARRAY['duplicate'::text, 'refused'::text]))),
  constraint import_outcomes_one_place CHECK (((part IS NULL) <> (source IS NULL))),
  constraint import_outcomes_refused_why CHECK (((outcome = 'refused'::text) = (code IS NOT NULL)))
);
CREATE INDEX import_outcomes_kind ON public.import_outcomes USING btree (import_id, outcome, line);

create table import_parts (
  import_id uuid not null,
  part smallint not null,
  last_place bigint not null,
  through_place bigint not null default 0,
  applied bigint not null default 0,
  duplicate bigint not null default 0,
  refused bigint not null default 0,
  claimed_by text,
  claimed_until timestamp(3) with time zone,
  constraint import_parts_pkey PRIMARY KEY (import_id, part),
  constraint import_parts_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id),
  constraint import_parts_counts CHECK (((applied >= 0) AND (duplicate >= 0) AND (refused >= 0))),
  constraint import_parts_places CHECK (((through_place >= 0) AND (through_place <= last_place)))
);

create table import_rows (
  import_id uuid not null,
  part smallint not null,
  line bigint not null,
  id uuid not null,
  event json not null,
  place bigint not null,
  constraint import_rows_place_unique UNIQUE (import_id, part, place),
  constraint import_rows_pkey PRIMARY KEY (import_id, line)
);

create table imports (
  id uuid not null,
  project_id bigint not null,
  name text not null,
  format text not null,
  dry_run boolean not null,
  retry_of uuid,
  actor text not null,
  state text not null,
  error text,
  rows bigint not null default 0,
  invalid bigint not null default 0,
  last_line bigint not null default 0,
  hash bytea not null,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone,
  finished_at timestamp(3) with time zone,
  constraint imports_pkey PRIMARY KEY (id),
  constraint imports_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint imports_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES imports(id),
  constraint imports_counts CHECK ((((invalid >= 0) AND (invalid <= rows)) AND (last_line >= rows))),
  constraint imports_failed_why CHECK (((error IS NOT NULL) = (state = 'failed'::text))),
  constraint imports_finished CHECK (((finished_at IS NOT NULL) = (state = ANY (ARRAY['done'::text, 'cancelled'::text, 'failed'::text])))),
  constraint imports_format_known CHECK ((format = ANY (ARRAY['events'::text, 'ndjson'::text, 'csv'::text]))),
  constraint imports_hash_length CHECK ((octet_length(hash) = 32)),
  constraint imports_name_length CHECK ((length(name) <= 255)),
  constraint imports_received CHECK (((state <> ALL (ARRAY['applying'::text, 'done'::text])) OR (received_at IS NOT NULL))),
  constraint imports_state_known CHECK ((state = ANY (ARRAY['receiving'::text, 'applying'::text, 'done'::text, 'cancelled'::text, 'failed'::text])))
);
CREATE INDEX imports_project ON public.imports USING btree (project_id, id);
CREATE INDEX imports_unfinished ON public.imports USING btree (state) WHERE (state = ANY (ARRAY['receiving'::text, 'applying'::text]));

create table inbox (
  id uuid not null,
  project_id bigint not null,
  command jsonb not null,
  accepted_at timestamp(3) with time zone not null,
  queued_at timestamp(3) with time zone not null,
  constraint inbox_pkey PRIMARY KEY (id),
  constraint inbox_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id)
);
CREATE INDEX inbox_key ON public.inbox USING btree (project_id, ((command ->> 'user'::text)), ((command ->> 'key'::text))) WHERE ((command ->> 'kind'::text) = 'event'::text);
CREATE INDEX inbox_queued_at ON public.inbox USING btree (queued_at);

create table level_changes (
  user_id bigint not null,
  system_id bigint not null,
  version bigint not null,
  level_before text,
  level_after text,
  created_at timestamp(3) with time zone not null,
  constraint level_changes_pkey PRIMARY KEY (user_id, system_id, version),
  constraint level_changes_changed CHECK ((level_before IS DISTINCT FROM level_after))
);

create table level_rewards (
  user_id bigint not null,
  system_id bigint not null,
  level_key text not null,
  created_at timestamp(3) with time zone not null,
  constraint level_rewards_pkey PRIMARY KEY (user_id, system_id, level_key)
);

create table metric_totals (
  user_id bigint not null,
  metric_id bigint not null,
  total numeric(27,9) not null default 0,
  high numeric(27,9) not null default 0,
  constraint metric_totals_pkey PRIMARY KEY (user_id, metric_id),
  constraint metric_totals_metric_id_fkey FOREIGN KEY (metric_id) REFERENCES metrics(id),
  constraint metric_totals_high CHECK (((high >= (0)::numeric) AND (high >= total)))
);

create table metrics (
  id bigint generated always as identity not null,
  project_id bigint not null,
  key text not null,
  name text not null,
  created_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  unit_type text not null default 'number'::text,
  units text not null default ''::text,
  constraint metrics_key_unique UNIQUE (project_id, key),
  constraint metrics_pkey PRIMARY KEY (id),
  constraint metrics_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint metrics_key_form CHECK ((key ~ '^[a-zA-Z0-9_-]{1,64}$'::text)),
  constraint metrics_unit_type_known CHECK ((unit_type = ANY (ARRAY['number'::text, 'currency'::text]))),
  constraint metrics_units_length CHECK ((length(units) <= 64))
);

create table outbox (
  id bigint generated always as identity not null,
  project_id bigint not null,
  user_id bigint,
  kind text not null,
  payload jsonb not null,
  created_at timestamp(3) with time zone not null,
  cause_key text,
  constraint outbox_pkey PRIMARY KEY (id),
  constraint outbox_kind_known CHECK ((kind = ANY (ARRAY['points_changed'::text, 'level_changed'::text, 'boost_started'::text, 'boost_finished'::text, 'achievement_completed'::text, 'streak_started'::text, 'streak_extended'::text, 'streak_lost'::text])))
);
CREATE UNIQUE INDEX outbox_cause_unique ON public.outbox USING btree (cause_key) WHERE (cause_key IS NOT NULL);

create table points_systems (
  id bigint generated always as identity not null,
  project_id bigint not null,
  key text not null,
  created_at timestamp(3) with time zone not null,
  constraint points_systems_key_unique UNIQUE (project_id, key),
  constraint points_systems_pkey PRIMARY KEY (id),
  constraint points_systems_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint points_systems_key_form CHECK ((key ~ '^[a-zA-Z0-9_-]{1,64}$'::text))
);

create table poisoned (
  id uuid not null,
  project_id bigint not null,
  command jsonb not null,
  error text not null,
  created_at timestamp(3) with time zone not null,
  constraint poisoned_pkey PRIMARY KEY (id)
);

create table programs (
  project_id bigint not null,
  version integer not null,
  snapshot jsonb not null,
  created_at timestamp(3) with time zone not null,
  era integer not null default 0,
  constraint programs_pkey PRIMARY KEY (project_id, version),
  constraint programs_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint programs_version_positive CHECK ((version > 0))
);

create table projects (
  id bigint generated always as identity not null,
  key text not null,
  name text not null,
  time_zone text not null,
  keyless_events text not null default 'mark'::text,
  program_version integer not null default 0,
  created_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  constraint projects_key_unique UNIQUE (key),
  constraint projects_pkey PRIMARY KEY (id),
  constraint projects_key_form CHECK ((key ~ '^[a-zA-Z0-9_-]{1,64}$'::text)),
  constraint projects_keyless_events_known CHECK ((keyless_events = ANY (ARRAY['mark'::text, 'warn'::text, 'refuse'::text]))),
  constraint projects_name_length CHECK (((length(name) >= 1) AND (length(name) <= 255)))
);

create table rate_limits (
  key character varying(255) not null,
  points integer not null,
  expire bigint,
  constraint rate_limits_pkey PRIMARY KEY (key)
);

create table refusals (
  user_id bigint not null,
  id uuid not null,
  kind text not null,
  metric_id bigint,
  system_id bigint,
  keyed boolean not null,
  key text not null,
  value numeric(27,9) not null,
  attributes jsonb not null,
  occurred_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  program_version integer not null,
  code text not null,
  detail jsonb not null,
  constraint refusals_pkey PRIMARY KEY (user_id, id),
  constraint refusals_code_known CHECK ((code = ANY (ARRAY['OUT_OF_POINTS'::text, 'ABOVE_CAP'::text, 'TOTAL_OUT_OF_RANGE'::text, 'BALANCE_OUT_OF_RANGE'::text, 'IDEMPOTENCY_KEY_REUSED'::text, 'POINTS_SYSTEM_UNKNOWN'::text, 'USER_EXISTS'::text, 'USER_UNKNOWN'::text, 'ACHIEVEMENT_UNKNOWN'::text, 'ACHIEVEMENT_NOT_FOR_USER'::text]))),
  constraint refusals_kind_known CHECK ((kind = ANY (ARRAY['event'::text, 'spend'::text, 'adjust'::text, 'user'::text, 'complete'::text]))),
  constraint refusals_target CHECK ((((kind = 'event'::text) = (metric_id IS NOT NULL)) AND ((kind = ANY (ARRAY['spend'::text, 'adjust'::text])) = (system_id IS NOT NULL))))
);
CREATE INDEX refusals_id ON public.refusals USING btree (id);

create table settings (
  name text not null,
  value jsonb not null,
  constraint settings_pkey PRIMARY KEY (name)
);

create table settlements (
  user_id bigint not null,
  id uuid not null,
  until timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  after_seq bigint not null,
  program_version integer not null,
  record jsonb not null,
  constraint settlements_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX settlements_id ON public.settlements USING btree (id);

create table streak_runs (
  user_id bigint not null,
  frequency text not null,
  first_period integer not null,
  last_period integer,
  due_at timestamp(3) with time zone,
  extended_at timestamp(3) with time zone,
  constraint streak_runs_pkey PRIMARY KEY (user_id, frequency, first_period),
  constraint streak_runs_frequency_known CHECK ((frequency = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text]))),
  constraint streak_runs_order CHECK ((last_period >= first_period))
);
CREATE INDEX streak_runs_due ON public.streak_runs USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX streak_runs_open ON public.streak_runs USING btree (user_id) WHERE (due_at IS NOT NULL);

create table trigger_counters (
  user_id bigint not null,
  trigger_id uuid not null,
  total numeric(27,9) not null default 0,
  high numeric(27,9) not null default 0,
  constraint trigger_counters_pkey PRIMARY KEY (user_id, trigger_id),
  constraint trigger_counters_high CHECK (((high >= (0)::numeric) AND (high >= total)))
);

create table trigger_usage (
  user_id bigint not null,
  trigger_id uuid not null,
  slot text not null,
  awards bigint not null,
  points bigint not null,
  at timestamp(3) with time zone not null,
  constraint trigger_usage_pkey PRIMARY KEY (user_id, trigger_id, slot),
  constraint trigger_usage_awards_positive CHECK ((awards > 0)),
  constraint trigger_usage_slot_length CHECK (((length(slot) >= 1) AND (length(slot) <= 300)))
);

create table user_boosts (
  user_id bigint not null,
  id uuid not null,
  system_id bigint not null,
  name text not null,
  multiplier numeric(12,9) not null,
  rounding text not null,
  exclusive boolean not null,
  start_time timestamp(3) with time zone,
  end_time timestamp(3) with time zone,
  start_date date,
  end_date date,
  zone text,
  created_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  status text not null,
  starts_at timestamp(3) with time zone not null,
  ends_at timestamp(3) with time zone,
  due_at timestamp(3) with time zone,
  updated_at timestamp(3) with time zone not null,
  earlier jsonb not null default '[]'::jsonb,
  constraint user_boosts_pkey PRIMARY KEY (user_id, id),
  constraint user_boosts_system_id_fkey FOREIGN KEY (system_id) REFERENCES points_systems(id),
  constraint user_boosts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint user_boosts_multiplier_range CHECK (((multiplier > (0)::numeric) AND (multiplier < (100)::numeric) AND (multiplier <> (1)::numeric))),
  constraint user_boosts_name_length CHECK (((length(name) >= 1) AND (length(name) <= 255))),
  constraint user_boosts_one_window CHECK ((((start_time IS NOT NULL) AND (start_date IS NULL) AND (end_date IS NULL) AND (zone IS NULL)) OR ((start_date IS NOT NULL) AND (start_time IS NULL) AND (end_time IS NULL) AND (zone IS NOT NULL)))),
  constraint user_boosts_rounding_known CHECK ((rounding = ANY (ARRAY['down'::text, 'up'::text, 'nearest'::text]))),
  constraint user_boosts_status_known CHECK ((status = ANY (ARRAY['scheduled'::text, 'active'::text, 'finished'::text]))),
  constraint user_boosts_window_order CHECK ((((end_time IS NULL) OR (end_time >= start_time)) AND ((end_date IS NULL) OR (end_date >= start_date)))),
  constraint user_boosts_zone_known CHECK ((zone = ANY (ARRAY['user'::text, 'project'::text])))
);
CREATE INDEX user_boosts_due ON public.user_boosts USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX user_boosts_id ON public.user_boosts USING btree (id);
CREATE INDEX user_boosts_system ON public.user_boosts USING btree (system_id, id);

create table user_commands (
  user_id bigint not null,
  id uuid not null,
  mode text not null,
  created boolean not null,
  received_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  program_version integer not null,
  decision jsonb,
  constraint user_commands_pkey PRIMARY KEY (user_id, id),
  constraint user_commands_created_decided CHECK ((created = (decision IS NOT NULL))),
  constraint user_commands_mode_known CHECK ((mode = ANY (ARRAY['create'::text, 'identify'::text, 'update'::text]))),
  constraint user_commands_update_known CHECK (((mode <> 'update'::text) OR (NOT created)))
);
CREATE UNIQUE INDEX user_commands_created_once ON public.user_commands USING btree (user_id) WHERE created;

create table user_imports (
  user_id bigint not null,
  id uuid not null,
  content jsonb not null,
  received_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone not null,
  program_version integer not null,
  hash_version smallint not null,
  hash bytea not null,
  constraint user_imports_pkey PRIMARY KEY (user_id),
  constraint user_imports_hash_length CHECK ((octet_length(hash) = 32))
);

create table users (
  id bigint generated always as identity not null,
  project_id bigint not null,
  external_id text not null,
  name text,
  email text,
  zones jsonb not null default '[]'::jsonb,
  attributes jsonb not null default '{}'::jsonb,
  seq bigint not null default 0,
  event_hash bytea,
  created_at timestamp(3) with time zone,
  updated_at timestamp(3) with time zone not null,
  device_tokens jsonb,
  constraint users_external_id_unique UNIQUE (project_id, external_id),
  constraint users_pkey PRIMARY KEY (id),
  constraint users_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint users_created_before_events CHECK (((seq = 0) OR (created_at IS NOT NULL))),
  constraint users_external_id_length CHECK (((length(external_id) >= 1) AND (length(external_id) <= 255))),
  constraint users_seq_range CHECK (((seq >= 0) AND ((seq = 0) = (event_hash IS NULL))))
);
CREATE INDEX users_project ON public.users USING btree (project_id, id);

create table webhook_attempts (
  webhook_id uuid not null,
  event_id bigint not null,
  id bigint generated always as identity not null,
  at timestamp(3) with time zone not null,
  duration_ms integer not null,
  status_code integer,
  error text,
  answer text not null,
  constraint webhook_attempts_pkey PRIMARY KEY (webhook_id, event_id, id),
  constraint webhook_attempts_webhook_id_event_id_fkey FOREIGN KEY (webhook_id, event_id) REFERENCES webhook_deliveries(webhook_id, event_id) ON DELETE CASCADE
);

create table webhook_deliveries (
  webhook_id uuid not null,
  event_id bigint not null,
  user_id bigint not null,
  kind text not null,
  payload jsonb not null,
  cause_key text,
  status text not null,
  tries integer not null default 0,
  created_at timestamp(3) with time zone not null,
  finished_at timestamp(3) with time zone,
  constraint webhook_deliveries_pkey PRIMARY KEY (webhook_id, event_id),
  constraint webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id),
  constraint webhook_deliveries_finished CHECK (((status = 'pending'::text) = (finished_at IS NULL))),
  constraint webhook_deliveries_kind_known CHECK ((kind = ANY (ARRAY['points_changed'::text, 'level_changed'::text, 'boost_started'::text, 'boost_finished'::text, 'achievement_completed'::text, 'streak_started'::text, 'streak_extended'::text, 'streak_lost'::text]))),
  constraint webhook_deliveries_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);
CREATE UNIQUE INDEX webhook_deliveries_cause_unique ON public.webhook_deliveries USING btree (webhook_id, cause_key) WHERE (cause_key IS NOT NULL);
CREATE INDEX webhook_deliveries_finished ON public.webhook_deliveries USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX webhook_deliveries_pending ON public.webhook_deliveries USING btree (webhook_id, user_id, event_id) WHERE (status = 'pending'::text);
CREATE INDEX webhook_deliveries_status ON public.webhook_deliveries USING btree (webhook_id, status, event_id);

create table webhook_holds (
  webhook_id uuid not null,
  user_id bigint not null,
  system_id bigint not null,
  until timestamp(3) with time zone not null,
  event_id bigint,
  payload jsonb,
  created_at timestamp(3) with time zone,
  constraint webhook_holds_pkey PRIMARY KEY (webhook_id, user_id, system_id),
  constraint webhook_holds_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id),
  constraint webhook_holds_whole CHECK ((((event_id IS NULL) = (payload IS NULL)) AND ((event_id IS NULL) = (created_at IS NULL))))
);
CREATE INDEX webhook_holds_due ON public.webhook_holds USING btree (until) WHERE (event_id IS NOT NULL);
CREATE INDEX webhook_holds_until ON public.webhook_holds USING btree (until);

create table webhook_queues (
  webhook_id uuid not null,
  user_id bigint not null,
  pending integer not null,
  due_at timestamp(3) with time zone not null,
  lease uuid,
  constraint webhook_queues_pkey PRIMARY KEY (webhook_id, user_id),
  constraint webhook_queues_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id),
  constraint webhook_queues_pending_positive CHECK ((pending >= 0))
);
CREATE INDEX webhook_queues_due ON public.webhook_queues USING btree (webhook_id, due_at);

create table webhooks (
  id uuid not null,
  project_id bigint not null,
  name text not null,
  url text not null,
  kinds jsonb not null,
  points_interval integer not null,
  status text not null,
  paused_reason text,
  paused_at timestamp(3) with time zone,
  secret text not null,
  previous_secret text,
  previous_until timestamp(3) with time zone,
  failures integer not null default 0,
  failing_since timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  archived_at timestamp(3) with time zone,
  constraint webhooks_pkey PRIMARY KEY (id),
  constraint webhooks_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id),
  constraint webhooks_failing CHECK (((failures = 0) = (failing_since IS NULL))),
  constraint webhooks_name_length CHECK (((length(name) >= 1) AND (length(name) <= 255))),
  constraint webhooks_paused_reason_known CHECK ((paused_reason = ANY (ARRAY['asked'::text, 'dead'::text, 'gone'::text]))),
  constraint webhooks_paused_why CHECK ((((status = 'paused'::text) = (paused_reason IS NOT NULL)) AND ((status = 'paused'::text) = (paused_at IS NOT NULL)))),
  constraint webhooks_points_interval_range CHECK (((points_interval >= 0) AND (points_interval <= 86400))),
  constraint webhooks_previous_whole CHECK (((previous_secret IS NULL) = (previous_until IS NULL))),
  constraint webhooks_status_known CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text]))),
  constraint webhooks_url_length CHECK (((length(url) >= 1) AND (length(url) <= 2048)))
);
CREATE INDEX webhooks_project ON public.webhooks USING btree (project_id, id);

create table zone_changes (
  id bigint generated always as identity not null,
  project_id bigint not null,
  user_id bigint,
  constraint zone_changes_pkey PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION public.post_entries()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'on'
AS $function$
  declare
    broken record;
  begin
    with steps as (
      select user_id, system_id, version, balance_after, hash,
        count(*) over account as steps,
        row_number() over history as step,
        sum(amount) over history as running,
        sum(coalesce(new_entries.earned, case when amount > 0 and kind <> 'reverse' then amount else 0 end))
          over history as earned
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
  end $function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
  begin
    raise exception '% is append-only', tg_table_name
      using errcode = 'restrict_violation', constraint = tg_name, table = tg_table_name;
  end $function$;

CREATE OR REPLACE FUNCTION public.refuse_direct_posting()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        raise exception 'accounts change only by entries'
          using errcode = 'check_violation', constraint = 'accounts_follow_entries', table = 'accounts';
      end $function$;

CREATE TRIGGER accounts_follow_entries_insert BEFORE INSERT ON public.accounts FOR EACH ROW WHEN (((pg_trigger_depth() = 0) AND (new.version <> 0))) EXECUTE FUNCTION refuse_direct_posting();

CREATE TRIGGER accounts_follow_entries_update BEFORE UPDATE ON public.accounts FOR EACH ROW WHEN (((pg_trigger_depth() = 0) AND ((new.balance IS DISTINCT FROM old.balance) OR (new.earned IS DISTINCT FROM old.earned) OR (new.version IS DISTINCT FROM old.version) OR (new.hash IS DISTINCT FROM old.hash)))) EXECUTE FUNCTION refuse_direct_posting();

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER commands_append_only BEFORE DELETE OR UPDATE ON public.commands FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER commands_no_truncate BEFORE TRUNCATE ON public.commands FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER completions_append_only BEFORE DELETE OR UPDATE ON public.completions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER completions_no_truncate BEFORE TRUNCATE ON public.completions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER entries_append_only BEFORE DELETE OR UPDATE ON public.entries FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON public.entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER entries_post AFTER INSERT ON public.entries REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION post_entries();

CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON public.events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER level_changes_append_only BEFORE DELETE OR UPDATE ON public.level_changes FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER level_changes_no_truncate BEFORE TRUNCATE ON public.level_changes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER level_rewards_append_only BEFORE DELETE OR UPDATE ON public.level_rewards FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER level_rewards_no_truncate BEFORE TRUNCATE ON public.level_rewards FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER programs_append_only BEFORE DELETE OR UPDATE ON public.programs FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER programs_no_truncate BEFORE TRUNCATE ON public.programs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER refusals_append_only BEFORE DELETE OR UPDATE ON public.refusals FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER refusals_no_truncate BEFORE TRUNCATE ON public.refusals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER settlements_append_only BEFORE DELETE OR UPDATE ON public.settlements FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER settlements_no_truncate BEFORE TRUNCATE ON public.settlements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_commands_append_only BEFORE DELETE OR UPDATE ON public.user_commands FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_commands_no_truncate BEFORE TRUNCATE ON public.user_commands FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_imports_append_only BEFORE DELETE OR UPDATE ON public.user_imports FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_imports_no_truncate BEFORE TRUNCATE ON public.user_imports FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

comment on column api_keys.rate_requests is 'In a window of rate_seconds; 0: no limit; null: the default of the deployment';

comment on column api_keys.replaces is 'Prefix of the key that this one is the successor of';

comment on column api_keys.user_id is 'The app''s own id of the user that an application key is bound to';

comment on column audit.fields is 'A list of {field, before, after}; null: there was none';

comment on column audit.user_id is 'Whom a boost of one user is for';

comment on column clocks.due_at is 'When a tick changes the balance next; null: none will, as things are';

comment on column clocks.running is 'By trigger that runs below the cap: milliseconds of its last tick, or of when it began to run; null: it stands';

comment on column commands.after_seq is 'The user''s event seq when it was applied: its place in the order of application';

comment on column commands.decision is 'What levels gave with it; null: nothing';

comment on column completions.id is 'Of the event or the command that completed it';

comment on column entries.earned is 'Of an import: all that was ever earned elsewhere; else the amount says what is earned';

comment on column global_boosts.due_at is 'When its status changes next; null: never again';

comment on column global_boosts.starts_at is 'The window as instants, by the zones known when it was resolved';

comment on column import_outcomes.source is 'The row as it was sent, where it was malformed';

comment on column import_rows.id is 'Of the event that the row becomes';

comment on column import_rows.place is 'The order in which rows of a part are applied: by a hash of the user, then by line';

comment on column imports.hash is 'Of the rows up to last_line, each over the one before; all zero: of none';

comment on column imports.retry_of is 'The import whose refused rows these are';

comment on column level_changes.version is 'Of the account after what changed the level';

comment on column programs.era is 'The version that began what this one has of triggers that the clock fires';

comment on column rate_limits.expire is 'End of the window in epoch milliseconds';

comment on column settlements.id is 'Of the event or command that it was settled before';

comment on column streak_runs.due_at is 'When it is over, and its loss told; null: that is done, or it was over when it was written';

comment on column streak_runs.extended_at is 'When something was first done in its last period; null: it is not known';

comment on column streak_runs.last_period is 'Null: it has become part of the run before it';

comment on column user_boosts.due_at is 'When its status changes next; null: never again';

comment on column user_boosts.earlier is 'How it multiplied, and when, before each change of that; until: milliseconds of the change';

comment on column user_boosts.starts_at is 'The window as instants, by the zones known when it was resolved';

comment on column user_commands.decision is 'What the user got for becoming known; null: was known before';

comment on column user_imports.content is 'What the user had: balances, totals, counters of triggers, streak; nothing of the profile';

comment on column users.created_at is 'Receipt of the first command that was applied; null: the row only gives refused attempts an id';

comment on column users.device_tokens is 'Null: none';

comment on column webhook_attempts.answer is 'How the body of the answer began, at most 1 KiB of it';

comment on column webhook_deliveries.event_id is 'Of the outbox row that announced it';

comment on column webhook_deliveries.tries is 'Attempts since it was queued';

comment on column webhook_deliveries.user_id is 'Whose deliveries keep their order; 0: of nobody';

comment on column webhook_queues.due_at is 'When its first delivery is tried; of one that is held, when it is given to another';

comment on column webhooks.failures is 'Attempts that failed since the last one that did not';

comment on column webhooks.kinds is 'Of the announcements that it wants to be told; none: of all';

comment on column webhooks.points_interval is 'Seconds from one points_changed of a user and points system to the next';

comment on column webhooks.secret is 'As it is: signatures are made with it';
