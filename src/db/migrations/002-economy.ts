import { Migration } from '@mikro-orm/migrations';

/** What a change of a project's program leaves behind: who made it, and what is no longer in use. */
export class Migration002Economy extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  'alter table metrics add column archived_at timestamptz(3)',
  'alter table attributes add column archived_at timestamptz(3)',

  'alter table refusals drop constraint refusals_code_known',
  `alter table refusals add constraint refusals_code_known check (code in ('OUT_OF_POINTS', 'ABOVE_CAP',
    'TOTAL_OUT_OF_RANGE', 'BALANCE_OUT_OF_RANGE', 'IDEMPOTENCY_KEY_REUSED', 'POINTS_SYSTEM_UNKNOWN'))`,

  `create table audit (
    project_id bigint not null references projects,
    id bigint generated always as identity,
    at timestamptz(3) not null,
    actor text not null,
    action text not null,
    kind text not null,
    key text not null,
    fields jsonb not null,
    program_version integer not null,
    primary key (project_id, id),
    constraint audit_actor_length check (length(actor) between 1 and 255),
    constraint audit_action_known check (action in ('create', 'update', 'archive'))
  )`,
  `comment on column audit.fields is 'A list of {field, before, after}; null: there was none'`,
  `create trigger audit_append_only before update or delete on audit for each row execute function refuse_change()`,
  `create trigger audit_no_truncate before truncate on audit for each statement execute function refuse_change()`,
];
