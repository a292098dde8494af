import { Migration } from '@mikro-orm/migrations';

/** The history of levels, and users in the order in which they came. */
export class Migration005Levels extends Migration {
  override up(): void {
    for (const statement of statements) this.addSql(statement);
  }
}

const statements = [
  'create index users_project on users (project_id, id)',

  `create table level_changes (
    user_id bigint not null,
    system_id bigint not null,
    version bigint not null,
    level_before text,
    level_after text,
    created_at timestamptz(3) not null,
    primary key (user_id, system_id, version),
    constraint level_changes_changed check (level_before is distinct from level_after)
  )`,
  `comment on column level_changes.version is 'Of the account after what changed the level'`,
  `create trigger level_changes_append_only before update or delete on level_changes
    for each row execute function refuse_change()`,
  `create trigger level_changes_no_truncate before truncate on level_changes
    for each statement execute function refuse_change()`,
];
