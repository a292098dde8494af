import { Migration } from '@mikro-orm/migrations';

/** Users who come from elsewhere, with what they had there. */
export class Migration009Imports extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const POINTS_LIMIT = '9007199254740991';

const statements = [
  `create table user_imports (
    user_id bigint primary key,
    id uuid not null,
    content jsonb not null,
    received_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    program_version integer not null,
    hash_version smallint not null,
    hash bytea not null,
    constraint user_imports_hash_length check (octet_length(hash) = 32)
  )`,
  `comment on column user_imports.content is
    'What the user had: balances, totals, counters of triggers, streak; nothing of the profile'`,
  `create trigger user_imports_append_only before update or delete on user_imports
    for each row execute function refuse_change()`,
  `create trigger user_imports_no_truncate before truncate on user_imports
    for each statement execute function refuse_change()`,

  'alter table entries add column earned bigint',
  `comment on column entries.earned is
    'Of an import: all that was ever earned elsewhere; else the amount says what is earned'`,
  'alter table entries drop constraint entries_kind_known',
  `alter table entries add constraint entries_kind_known
    check (kind in ('award', 'spend', 'adjust', 'expire', 'reverse', 'reward', 'import'))`,
  'alter table entries drop constraint entries_amount_range',
  `alter table entries add constraint entries_amount_range check (
    (amount <> 0 or kind = 'import') and amount between -${POINTS_LIMIT} and ${POINTS_LIMIT})`,
  `alter table entries add constraint entries_earned_imported check ((kind = 'import') = (earned is not null))`,
  `alter table entries add constraint entries_earned_range check (earned between greatest(amount, 0) and ${POINTS_LIMIT})`,
  `alter table entries add constraint entries_import_opens check (
    kind <> 'import' or (version = 1 and cause_key = 'import' and command_id is not null and event_id is null
      and trigger_id is null))`,

  `create or replace function post_entries() returns trigger language plpgsql set enable_hashjoin = on as $$
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
  end $$`,
];
