import { Migration } from '@mikro-orm/migrations';

/** Events that come as a file, with what became of each row. */
export class Migration011EventImports extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  `create table imports (
    id uuid primary key,
    project_id bigint not null references projects,
    name text not null,
    format text not null,
    dry_run boolean not null,
    retry_of uuid references imports,
    actor text not null,
    state text not null,
    error text,
    rows bigint not null default 0,
    invalid bigint not null default 0,
    last_line bigint not null default 0,
    hash bytea not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    received_at timestamptz(3),
    finished_at timestamptz(3),
    constraint imports_name_length check (length(name) <= 255),
    constraint imports_format_known check (format in ('events', 'ndjson', 'csv')),
    constraint imports_state_known check (state in ('receiving', 'applying', 'done', 'cancelled', 'failed')),
    constraint imports_counts check (invalid between 0 and rows and last_line >= rows),
    constraint imports_hash_length check (octet_length(hash) = 32),
    constraint imports_received check (state not in ('applying', 'done') or received_at is not null),
    constraint imports_finished check ((finished_at is not null) = (state in ('done', 'cancelled', 'failed'))),
    constraint imports_failed_why check ((error is not null) = (state = 'failed'))
  )`,
  `comment on column imports.hash is 'Of the rows up to last_line, each over the one before; all zero: of none'`,
  `comment on column imports.retry_of is 'The import whose refused rows these are'`,
  'create index imports_project on imports (project_id, id)',
  `create index imports_unfinished on imports (state) where state in ('receiving', 'applying')`,

  `create table import_parts (
    import_id uuid not null references imports,
    part smallint not null,
    last_line bigint not null,
    through_line bigint not null default 0,
    applied bigint not null default 0,
    duplicate bigint not null default 0,
    refused bigint not null default 0,
    claimed_by text,
    claimed_until timestamptz(3),
    primary key (import_id, part),
    constraint import_parts_lines check (through_line between 0 and last_line),
    constraint import_parts_counts check (applied >= 0 and duplicate >= 0 and refused >= 0)
  )`,
  `comment on table import_parts is
    'Rows whose users share a lane, applied in their order; of a dry run, finer parts of the users'`,

  // No foreign keys: a million rows would look at one row of imports a million times. Both are written by statements that
  // lock that row, or the part's.
  `create table import_rows (
    import_id uuid not null,
    part smallint not null,
    line bigint not null,
    id uuid not null,
    event json not null,
    primary key (import_id, part, line)
  )`,
  `comment on column import_rows.id is 'Of the event that the row becomes'`,

  `create table import_outcomes (
    import_id uuid not null,
    line bigint not null,
    part smallint,
    outcome text not null,
    event_id uuid,
    code text,
    detail jsonb,
    source text,
    primary key (import_id, line),
    constraint import_outcomes_one_place check ((part is null) <> (source is null)),
    constraint import_outcomes_known check (outcome in ('duplicate', 'refused')),
    constraint import_outcomes_refused_why check ((outcome = 'refused') = (code is not null))
  )`,
  `comment on table import_outcomes is 'Of rows that were not applied; a row of a part up to through_line without one was'`,
  `comment on column import_outcomes.source is 'The row as it was sent, where it was malformed'`,
  `create index import_outcomes_kind on import_outcomes (import_id, outcome, line)`,

  `create index inbox_key on inbox (project_id, (command ->> 'user'), (command ->> 'key'))
    where command ->> 'kind' = 'event'`,
];
